"""Looks at each part in turn, as `CarbonAware` would set it up, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from grid import GridError
from grid.live.asking import type_and_place
from sprout_like.coverage import coverages
from sprout_like.doctor.finding import Finding
from sprout_like.doctor.meter import look_at_meter
from sprout_like.errors import SettingError
from sprout_like.grids import open_grid
from sprout_like.policies import open_catalogue, simple_policy
from sprout_like.settings import Settings

__all__ = ["examine"]

# It covers zones, and its figures are as static as the user's own.
_STATIC = "yearly"


def examine(model: Path | None = None) -> Iterator[Finding]:
    """Every finding, in order; the settings first, since all else depends on them.

    Args:
        model: folder of a model that is to be judged too.
    """
    try:
        settings = Settings.load()
    except SettingError as exc:
        yield Finding("settings", "fail", f"{exc.setting}: {exc.problem}", exc.fix)
        return
    yield Finding("settings", "ok", _sources())
    for part, look in (
        ("policy", _policy),
        ("classes", _classes),
        ("grid", _grid),
        ("meter", look_at_meter),
        ("gpu", _gpu),
        ("ledger", _ledger),
    ):
        yield from _looked_at(part, look, settings)
    if model is not None:
        from sprout_like.doctor.model import look_at_model

        yield from look_at_model(model)


def _looked_at(part: str, look: Callable[[Settings], Iterator[Finding]], settings: Settings) -> Iterator[Finding]:
    """What `look` finds; a setting that cannot be honoured, at which `CarbonAware` would stop, is a finding too.

    So is a fault in a part, which may be anybody's code: the other parts are looked at all the same.
    """
    try:
        yield from look(settings)
    except SettingError as exc:
        found = exc.problem if exc.setting == part else f"{exc.setting}: {exc.problem}"
        yield Finding(part, "fail", found, exc.fix)
    except Exception as exc:  # noqa: BLE001
        yield Finding(part, "fail", type_and_place(exc), "Correct that code, or report it where it is not yours")


def _sources() -> str:
    file = Path("sprout.toml")
    return f"{file.absolute()} and SPROUT_… variables" if file.exists() else "defaults and SPROUT_… variables"


def _policy(settings: Settings) -> Iterator[Finding]:
    catalogue = open_catalogue(settings)
    if settings.policy == "contextual":
        from sprout_like.doctor.policy import look_at_contextual

        yield from look_at_contextual(settings, catalogue)
    else:
        policy = simple_policy(settings.policy, catalogue, settings)
        names = ", ".join(catalogue.directives)
        yield Finding("policy", "ok", f"{policy.version}; directives: {names} (catalogue {catalogue.version})")
    if settings.control_share == 0 and settings.policy not in catalogue:
        problem = "there is no control group, so that no saving can be measured"
        yield Finding("policy", "warn", problem, "Set SPROUT_CONTROL_SHARE=0.05")


def _classes(settings: Settings) -> Iterator[Finding]:
    if settings.classes is not None:
        from sprout_like.classes.inferring import open_classes

        tasks = ", ".join(open_classes(settings.classes).labels)
        yield Finding("classes", "ok", f"{settings.classes} infers the task of requests without a tag: {tasks}")


def _grid(settings: Settings) -> Iterator[Finding]:
    try:
        grid = open_grid(settings)
    except GridError as exc:
        yield Finding("grid", "fail", str(exc), "Correct SPROUT_GRID or SPROUT_ZONE")
        return
    name = f"{grid.source.name}, zone {grid.zone}"
    instead = "set SPROUT_GRID=static:G_PER_KWH or SPROUT_GRID=trace:FILE.csv"
    try:
        grid.prime()
        look = grid.look()
    except GridError as exc:
        yield Finding("grid", "fail", str(exc), f"Correct the key, or {instead}")
        return
    finally:
        grid.close()
    reading = look.intensity
    if reading is None:
        problem = (look.reason or "no reading").replace(f"{grid.source.name}: ", "")
        yield Finding("grid", "fail", f"{name}: {problem}; carbon is unknown", f"Check the network, or {instead}")
        return
    found = f"{name}: {reading.g_per_kwh:g} g/kWh ({reading.kind}, {reading.factors}, {reading.status})"
    if reading.status == "static":
        found += ", the same at every hour: no directive follows the grid"
        yield Finding("grid", "warn", found, _live(grid.zone))
    elif look.stale or grid.latest_problem:
        why = look.reason or grid.latest_problem
        yield Finding("grid", "warn", f"{found}; {why}", f"Check the network, or {instead}")
    else:
        yield Finding("grid", "ok", f"{found}; {look.reason}" if look.reason else found)


def _live(zone: str) -> str:
    """How to get figures that change by the hour."""
    able = [found for found in coverages(zone) if found.name != _STATIC]
    names = [found.name if found.keyless else f"{found.name} (needs a key)" for found in able]
    if not names:
        return f"No built-in source covers {zone} by the hour: set SPROUT_GRID=trace:FILE.csv"
    return f"Set SPROUT_GRID to a source that covers {zone} ({', '.join(names)}), or to trace:FILE.csv"


def _gpu(_: Settings) -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            device = torch.cuda.get_device_properties(index)
            yield Finding("gpu", "ok", f"{device.name}, GPU-{device.uuid}")
    else:
        built = "with CUDA" if torch.version.cuda else "for the CPU alone"
        yield Finding("gpu", "ok", f"torch {torch.__version__} ({built}) sees no GPU: models run on the CPU")


def _ledger(settings: Settings) -> Iterator[Finding]:
    from sprout_like.doctor.ledger import look_at_ledger

    yield from look_at_ledger(settings)
