"""Parts of reports made up for tests of the page."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

from sprout_like.choosing.missing import Missing, Unlock
from sprout_like.reports.interval import UNKNOWN, Figure
from sprout_like.reports.judging import Judging, Kind
from sprout_like.reports.policies import PolicyLine
from sprout_like.reports.report import (
    Cost,
    Device,
    Emission,
    IntensityClass,
    JobLine,
    Point,
    Quality,
    Savings,
    Usage,
    Window,
    ZoneIntensity,
)
from sprout_like.reports.saving import MeasuredSaving

BEGIN = datetime(2026, 10, 1, tzinfo=UTC)
DIRECTIVES = (
    "full",
    "brief",
    "answer_only",
    "stop_early",
    "draft",
    "int8",
    "kv4",
    "reuse",
    "short",
    "tiny",
    "list",
    "code",
)


def near(value: float, share: float = 0.01) -> Figure:
    return Figure(value, value * (1 - share), value * (1 + share))


def usage(requests: int, energy_j: float, *, unknown: int = 0) -> Usage:
    return Usage(
        requests=requests,
        rows=requests,
        errors=requests // 900,
        prompt_tokens=requests * 310,
        new_tokens=requests * 142,
        duration_s=requests * 2.1,
        energy_j=near(energy_j),
        energy_unknown=unknown,
        embodied_g=Figure(requests * 0.0021),
        embodied_unknown=0,
    )


def emission(requests: int, operational_g: float | None, kind: str | None = "average") -> Emission:
    return Emission(
        intensity_kind=kind,
        intensity_factors=None if kind is None else "lifecycle",
        requests=requests,
        operational_g=UNKNOWN if operational_g is None else near(operational_g, 0.013),
        carbon_unknown=requests if operational_g is None else 0,
        intensity_g_per_kwh=None if operational_g is None else 287.4,
        logged_operational_g=operational_g,
        stale=3,
        settled=requests // 2,
        provisional=requests // 9,
    )


def points(count: int, step: timedelta, *, kinds: tuple[str | None, ...] = ("average",)) -> tuple[Point, ...]:
    rng = random.Random(7)
    found = []
    for place in range(count):
        at = BEGIN + place * step
        level = 300 + 110 * math.sin(place / (3.8 if step.days else 3.9)) + rng.uniform(-45, 45)
        for kind in kinds:
            energy = (5.6e7 if step.days else 2.4e6) * (1.2 + math.sin(place / 2.2)) * rng.uniform(0.6, 1.4) + 1e6
            found.append(
                Point(
                    start_utc=at,
                    intensity_kind=kind,
                    intensity_factors=None if kind is None else "lifecycle",
                    requests=int(energy / 2700) + 1,
                    energy_j=energy,
                    operational_g=None if kind is None else energy / 3.6e6 * level,
                    intensity_g_per_kwh=None if kind is None else level * (1.6 if kind == "marginal" else 1),
                )
            )
    return tuple(found)


def classes(directives: int) -> tuple[IntensityClass, ...]:
    rng = random.Random(3)
    found = []
    for place, low in enumerate(range(100, 500, 50)):
        weights = [
            max(0.02, 1 - place * 0.13),
            *(rng.uniform(0.05, 0.4) * (place + 1) / n for n in range(1, directives)),
        ]
        total = 9000 * math.exp(-(((place - 3.4) / 2.2) ** 2)) + 40
        found += [
            IntensityClass(
                intensity_kind="average",
                intensity_factors="lifecycle",
                low_g_per_kwh=low,
                high_g_per_kwh=low + 50,
                directive=name,
                requests=int(total * weight / sum(weights)),
            )
            for name, weight in zip(DIRECTIVES, weights[:directives], strict=False)
        ]
    return tuple(found)


def savings(model: str = "SmolLM2-135M-Instruct", version: str | None = "contextual-7f3a") -> Savings:
    measured = (
        MeasuredSaving(version, "energy", None, None, 31_204, 3_467, 0.268, 0.221, 0.312, 0.004),
        MeasuredSaving(version, "carbon", "average", "lifecycle", 31_204, 3_467, 0.331, 0.276, 0.382, 0.005),
    )
    missing = Missing(unmeasured=("int4",), unjudged=(Unlock("list", 0.31),))
    modelled = PolicyLine(model, 7, 0.95, 0.281, 0.347, None, missing, 0.004, 0.005)
    kind = Kind("average", "lifecycle", 4.1e5, 31.0)
    judging = Judging(
        model=model,
        catalogue_version="c1",
        evaluations=340,
        energy_j=4.6e5,
        kinds=(kind,),
        judges_g=2.1,
        calls=34_671,
        rows=34_671,
    )
    return Savings(measured=measured, modelled=(modelled,), judging=(judging,))


def quality(directives: int, model: str = "SmolLM2-135M-Instruct") -> tuple[Quality, ...]:
    found = []
    for place, name in enumerate(DIRECTIVES[1 : directives + 1]):
        share = 1.012 - 0.017 * place
        found.append(
            Quality(
                model=model,
                catalogue_version="c1",
                directive=name,
                judge="rubric-v2",
                verdicts_n=340 - 20 * place,
                score=7.9 * share,
                full_score=7.9,
                quality=Figure(share, share - 0.021 - 0.002 * place, None),
                floor=0.95,
                confidence=0.95,
                breaker=None,
            )
        )
    return tuple(found)


def jobs(count: int) -> tuple[tuple[JobLine, ...], tuple[ZoneIntensity, ...]]:
    begin = datetime(2026, 10, 28, 6, tzinfo=UTC)
    zones = tuple(
        ZoneIntensity(
            zone="DE",
            intensity_kind="average",
            intensity_factors="lifecycle",
            status="actual" if hour < 50 else "forecast",
            start_utc=begin + timedelta(hours=hour),
            end_utc=begin + timedelta(hours=hour + 1),
            g_per_kwh=330 + 130 * math.cos(hour / 24 * 2 * math.pi),
        )
        for hour in range(90)
    )
    lines = []
    for place in range(count):
        at = begin + timedelta(hours=7 * place + 1)
        starts = [at + timedelta(hours=4), at + timedelta(hours=9)]
        windows = tuple(
            Window(
                state="run" if start < begin + timedelta(hours=50) else "planned",
                zone="DE",
                start_utc=start,
                end_utc=start + timedelta(hours=2, minutes=30),
                items_n=500,
                operational_g=81.0,
            )
            for start in starts
        )
        done = windows[-1].state == "run"
        lines.append(
            JobLine(
                job_id=f"job-{place:04}",
                model="SmolLM2-135M-Instruct",
                task=("summaries", "embeddings of the archive", None)[place % 3],
                state="done" if done else "waiting",
                submitted_utc=at,
                deadline_utc=at + timedelta(hours=22),
                finished_utc=windows[-1].end_utc if done else None,
                items_n=1000,
                done_n=1000 if done else 0,
                failed_n=0,
                energy_j=2.1e6 if done else None,
                operational_g=162.0 if done else None,
                planned_saving=0.34,
                emitted_g=162.0 if done else None,
                at_once_g=231.0 if done else None,
                saving=1 - 162 / 231 if done else None,
                known_runs=2 if done else 0,
                runs=2 if done else 0,
                windows=windows,
            )
        )
    return tuple(reversed(lines)), zones


def device(name: str, component: str, counter_j: float, gap: float = 0.0002) -> Device:
    return Device(
        device_id=f"{component}-0",
        device_name=name,
        component=component,
        method="measured",
        meter="nvml" if component == "gpu" else "rapl",
        accounts=31,
        counter_j=counter_j,
        requests_j=counter_j * (0.52 + gap),
        elsewhere_j=counter_j * 0.06,
        overhead_j=counter_j * 0.03,
        idle_j=counter_j * 0.39,
        gap_j=counter_j * gap,
        gap_share=gap,
        worst_hour_utc=BEGIN + timedelta(hours=333),
        worst_hour_share=gap * 4,
    )


def costs(*, embodied: bool = True) -> tuple[Cost, ...]:
    return tuple(
        Cost(
            purpose="request",
            intensity_kind="average",
            intensity_factors="lifecycle",
            per=per,
            units=34_671 * (1 if scale == 1 else 142),
            energy_j=near(2.7e6 / scale),
            operational_g=near(215.0 / scale, 0.013),
            embodied_g=Figure(2.1 / scale) if embodied else UNKNOWN,
            water_l=near(1.35 / scale),
            price=near(0.21 / scale),
            currency="EUR",
        )
        for per, scale in (("1,000 requests", 1), ("new token", 142_000))
    )
