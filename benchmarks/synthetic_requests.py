"""Made-up requests, hour by hour: the traffic of a team, with all that goes wrong; see `synthetic_ledger`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sprout_like.carbon import operational_g
from sprout_like.record import AccountRecord, IntensityRecord, RequestRecord

__all__ = ["BEGIN_UTC", "HOUR", "MODELS", "Traffic", "accounts"]

BEGIN_UTC: Final = datetime(2026, 1, 1, tzinfo=UTC)

HOUR: Final = timedelta(hours=1)
_ACCOUNT: Final = timedelta(minutes=5)
_SETTLED_AFTER: Final = timedelta(days=3)
_SESSION: Final = timedelta(days=7)

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Machine:
    """A process that serves one model."""

    number: int
    model: str
    family: str
    zone: str
    joules_per_token: float
    tokens_per_s: float

    @property
    def devices(self) -> tuple[str, str, str]:
        return f"GPU-{self.number}", f"rapl:{self.number}:package-0", f"rapl:{self.number}:dram-0"


_MACHINES: Final = (
    _Machine(0, "meta-llama/Llama-3.1-8B-Instruct", "llama", "GB", 0.9, 90.0),
    _Machine(1, "meta-llama/Llama-3.1-8B-Instruct", "llama", "DE", 0.9, 90.0),
    _Machine(2, "Qwen/Qwen2.5-1.5B-Instruct", "qwen2", "FR", 0.3, 140.0),
    _Machine(3, "HuggingFaceTB/SmolLM2-135M-Instruct", "llama", "GB", 0.05, 45.0),
)
MODELS: Final = tuple(sorted({each.model for each in _MACHINES}))

_INTENSITY: Final = {"GB": (180.0, 70.0), "DE": (350.0, 120.0), "FR": (55.0, 15.0)}
"""Mean and swing in g CO2e/kWh."""


@dataclass(frozen=True, slots=True)
class _Team:
    """Who asks: each team has its kind of work and its models."""

    tags: Mapping[str, str]
    task: str | None
    weight: float
    machines: tuple[int, ...]
    length: float


_TEAMS: Final = (
    _Team({"team": "search"}, "question", 0.3, (0, 1), 0.8),
    _Team({"team": "search", "app": "web"}, "question", 0.1, (0, 2), 0.8),
    _Team({"app": "web", "team": "search"}, "question", 0.05, (0, 2), 0.8),
    _Team({"team": "support"}, "summary", 0.2, (1, 2), 1.3),
    _Team({"team": "support"}, "question", 0.05, (1,), 1.0),
    _Team({"team": "research", "app": "notebook"}, "code", 0.2, (0, 3), 1.6),
    _Team({"team": "=cmd|' /C calc'!A0"}, None, 0.01, (3,), 1.0),
    _Team({}, None, 0.09, (0, 3), 1.0),
)
_DIRECTIVES: Final = ("full", "brief", "very_brief", "small_model")
_LENGTHS: Final = np.array((1.0, 0.65, 0.4, 0.95))
_ENERGIES: Final = np.array((1.0, 1.0, 1.0, 0.35))
_PURPOSES: Final = ("request", "evaluation", "baseline", "job")
_CANDIDATES: Final = ",".join(_DIRECTIVES)


class Traffic:
    """Requests that come in over a number of hours.

    Args:
        rows: requests in all. hours: from `BEGIN_UTC`. seed: of everything that is drawn.
    """

    def __init__(self, *, rows: int, hours: int, seed: int) -> None:
        self.hours = hours
        self._seed = seed
        self._intensity = {zone: _half_hours(zone, 2 * hours, seed) for zone in _INTENSITY}
        self._counts = _per_hour(rows, hours, seed)

    def published(self) -> list[IntensityRecord]:
        """What was published of the intensity, in the end."""
        return _published(self._intensity)

    def requests(self, hour: int) -> list[RequestRecord]:
        """Those that begin in that hour."""
        return _hour(hour, self._counts[hour], self.hours, self._intensity, self._seed, sum(self._counts[:hour]))


def _half_hours(zone: str, n: int, seed: int) -> _Floats:
    """Intensity per half hour: a daily wave, a weekly one, and a slow drift."""
    rng = np.random.default_rng([seed, *zone.encode()])
    mean, swing = _INTENSITY[zone]
    time = np.arange(n)
    drift = np.empty(n)
    state = 0.0
    for place, shock in enumerate(rng.normal(0, 0.08, n).tolist()):
        state = 0.99 * state + shock
        drift[place] = state
    wave = np.sin(2 * np.pi * (time / 48 - 0.4)) + 0.4 * np.sin(2 * np.pi * time / 336)
    return np.round(np.maximum(5.0, mean + swing * (0.7 * wave + drift)), 1)


def _published(intensity: Mapping[str, _Floats]) -> list[IntensityRecord]:
    half = timedelta(minutes=30)
    return [
        IntensityRecord(
            zone=zone,
            source="synthetic",
            kind="average",
            factors="lifecycle",
            status="actual",
            start_utc=BEGIN_UTC + place * half,
            end_utc=BEGIN_UTC + (place + 1) * half,
            g_per_kwh=value,
            fetched_at_utc=BEGIN_UTC + place * half + timedelta(days=1),
        )
        for zone, values in intensity.items()
        for place, value in enumerate(values.tolist())
    ]


def _per_hour(rows: int, hours: int, seed: int) -> list[int]:
    """Requests per hour: more by day and on weekdays; they add up to `rows`."""
    time = np.arange(hours)
    weight = 1 + 0.6 * np.sin(2 * np.pi * (time / 24 - 0.35)) - 0.3 * ((time // 24) % 7 >= 5)
    counts: list[int] = np.random.default_rng([seed, 1]).multinomial(rows, weight / weight.sum()).tolist()
    return counts


def _hour(
    hour: int, n: int, hours: int, intensity: Mapping[str, _Floats], seed: int, written: int
) -> list[RequestRecord]:
    rng = np.random.default_rng([seed, 2, hour])
    begin_utc = BEGIN_UTC + hour * HOUR
    at_s = np.sort(rng.uniform(0, 3599.9, n)).round(6)
    team = rng.choice(len(_TEAMS), n, p=[each.weight for each in _TEAMS])
    second = rng.random(n) < 0.4
    machine = np.array([(each.machines[0], each.machines[-1]) for each in _TEAMS])[team, second.astype(int)]
    half_hour = 2 * hour + (at_s >= 1800)
    zones = np.array([intensity[each.zone][2 * hour : 2 * hour + 2] for each in _MACHINES])
    actual = zones[machine, half_hour - 2 * hour]
    # A process has one reading for all requests of its slot.
    slot = (machine, half_hour - 2 * hour)
    logged = np.round(actual * rng.normal(1, 0.06, (len(_MACHINES), 2))[slot], 1)
    usual = np.array([_INTENSITY[each.zone][0] for each in _MACHINES])[machine]

    control = rng.random(n) < 0.05
    p_full = np.clip(1.1 - 0.6 * logged / usual, 0.05, 0.9)
    chances = np.stack((p_full, *(share * (1 - p_full) for share in (0.5, 0.3, 0.2))), axis=1)
    directive = np.where(control, 0, (rng.random(n)[:, None] > np.cumsum(chances, axis=1)).sum(axis=1).clip(0, 3))
    propensity = 0.95 * chances[np.arange(n), directive] + 0.05 * (directive == 0)

    prompt = np.maximum(4, rng.lognormal(4.6, 0.9, n)).astype(int)
    length = rng.lognormal(4.9, 0.6, n) * np.array([each.length for each in _TEAMS])[team] * _LENGTHS[directive]
    new = np.clip(length, 1, 1024).astype(int)
    per_token_j = np.array([each.joules_per_token for each in _MACHINES])[machine]
    energy = (new + 0.08 * prompt) * per_token_j * _ENERGIES[directive] * rng.lognormal(0, 0.1, n)
    engine_s = new / np.array([each.tokens_per_s for each in _MACHINES])[machine] + 0.02
    columns = {
        "at_s": at_s,
        "machine": machine,
        "actual": actual,
        "logged": logged,
        "control": control,
        "directive": directive,
        "propensity": propensity,
        "team": team,
        "prompt": prompt,
        "new": new,
        "energy": energy,
        "engine_s": engine_s,
        "queue_s": rng.exponential(0.05, n),
        "kind": rng.choice(len(_PURPOSES), n, p=(0.96, 0.01, 0.005, 0.025)),
        "luck": rng.random((len(_MACHINES), 2))[slot],
        "fate": rng.random(n),
    }
    recent = begin_utc >= BEGIN_UTC + hours * HOUR - _SETTLED_AFTER
    drawn = zip(*(values.tolist() for values in columns.values()), strict=True)
    return [_request(begin_utc, written + place, recent, *row) for place, row in enumerate(drawn)]


def _request(
    begin_utc: datetime,
    number: int,
    recent: bool,
    at_s: float,
    machine_number: int,
    actual: float,
    logged: float,
    control: bool,
    directive: int,
    propensity: float,
    team_number: int,
    prompt: int,
    new: int,
    energy: float,
    engine_s: float,
    queue_s: float,
    purpose: int,
    luck: float,
    fate: float,
) -> RequestRecord:
    machine, team = _MACHINES[machine_number], _TEAMS[team_number]
    started_utc = begin_utc + timedelta(seconds=at_s)
    week = (begin_utc - BEGIN_UTC) // _SESSION
    gpu_j, cpu_j, dram_j = energy * 0.85, energy * 0.12, energy * 0.03
    energy_j = gpu_j + cpu_j + dram_j
    small = directive == 3
    forecast, unknown = luck < 0.3, luck > 0.99
    g_per_kwh = None if unknown else logged if forecast else actual
    settled = not recent and forecast
    stale = not forecast and luck > 0.985
    duration_s = queue_s + engine_s
    record = RequestRecord(
        request_id=f"{int(started_utc.timestamp() * 1000):012x}{number:020x}",
        session_id=f"{machine_number:016x}{week:016x}",
        started_utc=started_utc,
        duration_s=duration_s,
        queue_s=queue_s,
        engine_s=engine_s,
        first_token_s=0.02,
        call="job" if purpose == 3 else "generate" if team.task is None else "chat",
        purpose=_PURPOSES[purpose],  # type: ignore[arg-type]
        model=machine.model,
        family=machine.family,
        variant="small" if small else None,
        engine="transformers",
        task=team.task,
        inferred_task="chat" if team.task is None else None,
        tags=team.tags,
        batch_size=1,
        prompt_tokens=prompt,
        instruction_tokens=0 if directive in (0, 3) else 12,
        new_tokens=new,
        limit_tokens=1024,
        caller_limit_tokens=1024,
        finish_reason="length" if new == 1024 else "eos",
        zone=machine.zone,
        intensity_g_per_kwh=g_per_kwh,
        intensity_kind=None if unknown else "average",
        intensity_factors=None if unknown else "lifecycle",
        intensity_status=None if unknown else "forecast" if forecast else "actual",
        intensity_source=None if unknown else "synthetic",
        intensity_start_utc=None if unknown else begin_utc + timedelta(minutes=30 * (at_s >= 1800)),
        intensity_stale=None if unknown else stale,
        intensity_reason="the source did not answer" if unknown else None,
        policy="contextual",
        policy_version=f"contextual:{week}",
        catalogue_version="builtin:1",
        directive=_DIRECTIVES[directive],
        propensity=propensity,
        decision_reason="drawn",
        decision_group="control" if control else "policy",
        candidates=_CANDIDATES,
        energy_j=energy_j,
        gpu_j=gpu_j,
        cpu_j=cpu_j,
        dram_j=dram_j,
        energy_by_device_j=dict(zip(machine.devices, (gpu_j, cpu_j, dram_j), strict=True)),
        energy_method="measured" if fate < 0.3 else "apportioned",
        energy_uncertainty_j=0.1 * machine.joules_per_token * machine.tokens_per_s,
        meter="nvml+rapl",
        account_id=f"{machine_number:08x}{int(started_utc.timestamp()) // 300:024x}",
        pue=1.2,
        operational_g=operational_g(energy_j, g_per_kwh, 1.2),
        embodied_g=4e-5 * duration_s,
        overhead_s=0.0001,
        settled_g_per_kwh=actual if settled else None,
        settled_kind="average" if settled else None,
        settled_factors="lifecycle" if settled else None,
        settled_status="actual" if settled else None,
        settled_source="synthetic" if settled else None,
        settled_operational_g=operational_g(energy_j, actual, 1.2) if settled else None,
        settled_utc=begin_utc + timedelta(days=2) if settled else None,
    )
    return _unusual(record, fate)


def _unusual(record: RequestRecord, fate: float) -> RequestRecord:
    """Some fail, of some the energy is unknown, and some are answered from the cache."""
    if fate > 0.995:
        return replace(record, status="error", error_type="OutOfMemoryError", new_tokens=None, finish_reason=None)
    if fate <= 0.98:
        return record
    nothing: dict[str, Any] = {"gpu_j": None, "cpu_j": None, "dram_j": None, "energy_by_device_j": {}}
    nothing |= {"energy_method": "none", "energy_uncertainty_j": None, "account_id": None}
    if fate > 0.985:  # the meter failed
        nothing |= {"settled_g_per_kwh": None, "settled_kind": None, "settled_factors": None, "settled_status": None}
        nothing |= {"settled_source": None, "settled_operational_g": None, "settled_utc": None}
        return replace(record, energy_j=None, operational_g=None, **nothing)
    known = {"operational_g": None if record.operational_g is None else 0.0}
    known["settled_operational_g"] = None if record.settled_operational_g is None else 0.0
    return replace(record, energy_j=0.0, reuse="answer", **known, **nothing)


def accounts(requests: Sequence[RequestRecord]) -> Iterator[AccountRecord]:
    """What the machines' counters said, five minutes at a time: the requests, and a little of everything else."""
    booked: defaultdict[tuple[str, int, str], list[float]] = defaultdict(list)
    for row in requests:
        for place, (device, joules) in enumerate(row.energy_by_device_j.items()):
            booked[row.account_id or "", place, device].append(joules)
    sessions = {row.account_id: row.session_id for row in requests}
    for (account_id, place, device), joules in booked.items():
        began_utc = datetime.fromtimestamp(int(account_id[8:], 16) * 300, UTC)
        requests_j = sum(joules)
        overhead_j, idle_j = 0.01 * requests_j, (60.0, 15.0, 3.0)[place] * _ACCOUNT.total_seconds()
        yield AccountRecord(
            account_id=account_id,
            device_id=device,
            device_name=("NVIDIA H200", "CPU package", "DRAM")[place],
            component=("gpu", "cpu", "dram")[place],
            method="measured",
            meter="nvml+rapl",
            session_id=sessions[account_id],
            started_utc=began_utc,
            ended_utc=began_utc + _ACCOUNT,
            counter_j=requests_j + overhead_j + idle_j,
            requests_j=requests_j,
            requests_n=len(joules),
            elsewhere_j=0.0,
            overhead_j=overhead_j,
            idle_j=idle_j,
        )
