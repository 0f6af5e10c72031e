"""The dashboard says of this machine's meter what the doctor says of it."""

from __future__ import annotations

from sprout_like import Settings
from sprout_like.dashboard.health import machine_meters
from sprout_like.doctor.meter import look_at_meter


def test_the_meter_is_the_doctors_finding_of_this_machine() -> None:
    settings = Settings.load(meter="cpu")
    shown, found = machine_meters(settings), list(look_at_meter(settings))
    assert [(f.state, f.found.removeprefix("this machine: "), f.fix) for f in shown] == [
        (f.state, f.found, f.fix) for f in found
    ]
    assert all(f.found.startswith("this machine: cpu: ") for f in shown)


def test_what_auto_passes_over_is_the_doctors_alone() -> None:
    settings = Settings.load(meter="auto")
    everything = [f.found for f in look_at_meter(settings)]
    assert {f.found.removeprefix("this machine: ") for f in machine_meters(settings)} <= set(everything)
    assert len(list(look_at_meter(settings, passed_over=False))) == len(machine_meters(settings))


def test_no_meter_is_warned_of_and_an_unknown_one_is_a_fault() -> None:
    (none,) = machine_meters(Settings.load(meter="none"))
    assert (none.state, none.fix) == ("warn", "Set SPROUT_METER=auto")
    assert "energy and carbon of requests are unknown" in none.found
    (unknown,) = machine_meters(Settings.load(meter="nvlm"))
    assert (unknown.state, "nvlm" in unknown.found, unknown.fix) == ("fail", True, "Set SPROUT_METER=auto")
