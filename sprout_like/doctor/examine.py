"""Looks at each part in turn, as `CarbonAware` would set it up, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from directives import DirectiveError
from grid import Grid, GridError, open_source
from grid.clock import utc_now
from sprout_like.doctor.finding import Finding
from sprout_like.errors import LedgerError, MeterError, SettingError, SproutError
from sprout_like.ledger import count_pending, open_engine
from sprout_like.meters import MeterOptions, auto_meter, open_meter
from sprout_like.policies import open_catalogue, open_policy
from sprout_like.settings import Settings

__all__ = ["examine"]


def examine(model: Path | None = None) -> Iterator[Finding]:
    """Every finding, in order; the settings first, since all else depends on them.

    Args:
        model: folder of a model whose family is to be judged too.
    """
    try:
        settings = Settings.load()
    except SproutError as exc:
        yield Finding("settings", "fail", str(exc), "Correct the setting")
        return
    yield Finding("settings", "ok", _sources())
    for part, look in (("policy", _policy), ("grid", _grid), ("meter", _meter), ("gpu", _gpu), ("ledger", _ledger)):
        yield from _safely(part, lambda look=look: look(settings))  # type: ignore[misc]
    yield from _safely("models", lambda: _models(settings, model))


def _safely(part: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except (SproutError, GridError, DirectiveError) as exc:
        yield Finding(part, "fail", str(exc), "Correct what the message names")


def _sources() -> str:
    file = Path("sprout.toml")
    return f"{file.absolute()} and SPROUT_… variables" if file.exists() else "defaults and SPROUT_… variables"


def _policy(settings: Settings) -> Iterator[Finding]:
    catalogue = open_catalogue(settings)
    policy = open_policy(settings.policy, catalogue, settings)
    names = ", ".join(catalogue.directives)
    yield Finding("policy", "ok", f"{policy.version}; directives: {names} (catalogue {catalogue.version})")
    if settings.control_share == 0 and policy.name != "fixed":
        yield Finding("policy", "warn", "no control group: savings cannot be measured", "SPROUT_CONTROL_SHARE=0.05")


def _grid(settings: Settings) -> Iterator[Finding]:
    grid = Grid(open_source(settings.grid, zone=settings.zone), settings.zone, now_utc=utc_now)
    try:
        grid.prime()
        look = grid.look()
    finally:
        grid.close()
    name = f"{grid.source.name}, zone {settings.zone}"
    if look.intensity is None:
        fix = "Check the network, or set SPROUT_GRID=static:G_PER_KWH or SPROUT_GRID=trace:FILE.csv"
        yield Finding("grid", "fail", f"{name}: {look.reason}", fix)
        return
    reading = look.intensity
    found = f"{name}: {reading.g_per_kwh:g} g/kWh ({reading.kind}, {reading.factors}, {reading.status})"
    if reading.status == "static":
        yield Finding("grid", "warn", f"{found}; the same at every hour", "SPROUT_GRID=uk, or a trace of your zone")
    else:
        yield Finding("grid", "warn" if look.stale else "ok", found, look.reason)


def _meter(settings: Settings) -> Iterator[Finding]:
    options = MeterOptions(
        watts_per_busy_core=settings.cpu_watts_per_core, dram_watts_per_gib=settings.dram_watts_per_gib
    )
    if settings.meter == "auto":
        choice = auto_meter(options)
        meter = choice.meter
        unused = [Finding("meter", "warn", f"{a.name}: {a.problem}", a.fix) for a in choice.attempts if a.problem]
    else:
        meter, unused = open_meter(settings.meter, options), []
    try:
        ids = [device.id for device in meter.devices]
        if ids:
            meter.read_j(ids)
    except MeterError as exc:
        yield Finding("meter", "fail", f"{meter.name}: {exc}", "SPROUT_METER=auto")
    else:
        for device in meter.devices:
            found = f"{meter.name}: {device.name} ({device.component}, {device.method}, ± {device.relative_error:.0%})"
            yield Finding("meter", "warn" if device.method == "estimated" else "ok", found)
        if not ids:
            yield Finding("meter", "warn", "none: energy and carbon are unknown in every row", "SPROUT_METER=auto")
    finally:
        meter.close()
    yield from unused


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
    from sqlalchemy import func, select

    from sprout_like.ledger.schema import RequestRow

    waiting = count_pending(settings.ledger_spec, spool_path=settings.spool)
    try:
        engine = open_engine(settings.ledger_spec)
    except SettingError as exc:  # nothing has been served yet, or the setting is wrong: the message says which
        yield Finding("ledger", "warn", str(exc))
    except LedgerError as exc:
        yield Finding("ledger", "fail", str(exc), "Start the database; rows are kept in the spool until then")
    else:
        with engine.connect() as connection:
            rows, last = connection.execute(select(func.count(), func.max(RequestRow.started_utc))).one()
        where = engine.url.render_as_string(hide_password=True)
        engine.dispose()
        latest = "" if last is None else f", the last at {last:%Y-%m-%d %H:%M} UTC"
        yield Finding("ledger", "ok", f"{where}: {rows:,} requests{latest}")
    if waiting is None:
        yield Finding("spool", "fail", "the spool cannot be read", "SPROUT_SPOOL=FILE in a folder that you own")
    elif waiting:
        yield Finding("spool", "warn", f"{waiting:,} rows wait for the database", "sprout-like ledger flush")
    else:
        yield Finding("spool", "ok", "nothing waits")


def _models(settings: Settings, folder: Path | None) -> Iterator[Finding]:
    """The families in use, by the ledger's rows, and the family of a model on disk."""
    for model, family, engine in _served(settings):
        yield Finding("model", "ok", f"{model} ({family or 'family unknown'}, engine {engine})")
    if folder is None:
        return
    from transformers import AutoConfig, AutoTokenizer

    from sprout_like.knobs.system_turn import SystemTurn, renders_system

    try:
        config = AutoConfig.from_pretrained(folder)
        tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    except (OSError, ValueError) as exc:
        yield Finding("model", "fail", f"{folder}: {str(exc).splitlines()[0]}", "Name a folder with a model")
        return
    if SystemTurn.learn(tokenizer) is not None:
        yield Finding("model", "ok", f"{folder}: {config.model_type}; every built-in directive can be applied")
    elif renders_system(tokenizer):
        yield Finding("model", "warn", f"{folder}: {config.model_type}; instructions work in chat(), not in generate()")
    else:
        yield Finding("model", "warn", f"{folder}: {config.model_type}; no system turn, so only full is served")


def _served(settings: Settings) -> list[Any]:
    from sqlalchemy import select

    from sprout_like.ledger.schema import RequestRow

    try:
        engine = open_engine(settings.ledger_spec)
    except SproutError:
        return []  # said under `ledger`
    columns = (RequestRow.model, RequestRow.family, RequestRow.engine)
    with engine.connect() as connection:
        rows = connection.execute(select(*columns).distinct().order_by(RequestRow.model).limit(20)).all()
    engine.dispose()
    return list(rows)
