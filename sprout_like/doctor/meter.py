"""The meter that a request on this machine would have."""

from __future__ import annotations

from collections.abc import Iterator

from sprout_like.doctor.finding import Finding
from sprout_like.errors import MeterError
from sprout_like.meters import auto_meter, meter_options, open_meter
from sprout_like.meters.host import hindrances
from sprout_like.settings import Settings

__all__ = ["look_at_meter"]


def look_at_meter(settings: Settings, *, passed_over: bool = True) -> Iterator[Finding]:
    """The meter, which is read once.

    Args:
        settings: which one.
        passed_over: whether to say too why `auto` does not take the others.

    Raises:
        SettingError: there is no such meter, or it cannot be set up on this machine.
        MeterError: it cannot be set up now.
    """
    options = meter_options(settings)
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
        yield Finding("meter", "fail", f"{meter.name}: {exc}", "Set SPROUT_METER=auto")
    else:
        for device in meter.devices:
            found = f"{meter.name}: {device.name} ({device.component}, {device.method}, ± {device.relative_error:.0%})"
            yield Finding("meter", "warn" if device.method == "estimated" else "ok", found)
        yield from (Finding("meter", "warn", found, fix) for found, fix in hindrances(meter))
        if not ids:
            yield Finding("meter", "warn", "none: energy and carbon of requests are unknown", "Set SPROUT_METER=auto")
    finally:
        meter.close()
    if passed_over:
        yield from unused
