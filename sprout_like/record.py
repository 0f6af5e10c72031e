"""The rows of the ledger as plain data: one per request, per energy account and per reading of the intensity.

Field names are column names, units included. None is stored as NULL and means unknown; nothing unknown is stored as 0.
No field holds prompt or answer text, and errors are stored by class name alone, since their messages may quote text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from grid import Factors, Intensity, Kind
from grid import Status as IntensityStatus
from sprout_like.errors import SettingError

__all__ = ["AccountRecord", "IntensityRecord", "Purpose", "RequestRecord", "Status", "checked_purpose", "checked_tags"]

Status = Literal["ok", "error"]
Purpose = Literal["request", "baseline", "evaluation", "calibration", "job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One request, from the caller's call to the grams.

    Attributes:
        request_id: 32 hex digits, unique, rising with time.
        session_id: the `CarbonAware` object that served it.
        started_utc: when the call came in.
        duration_s: from the call to the answer, waiting for the model included, logging excluded.
        queue_s: part of `duration_s` spent waiting for the model.
        engine_s: part of `duration_s` spent in the engine.
        prepare_s: part of `duration_s` spent loading a variant or reading weights for it; that energy is overhead.
        compile_s: part of `engine_s` spent compiling; its energy is booked as overhead, not here.
        first_token_s: from the engine's start to the first new token; None where the call did not stream.
        call: `generate` or `chat`; `job` for an item of a job.
        purpose: `request`; `baseline` for a run made to compare with; `evaluation` for a judge's;
            `calibration` for a run of `sprout-like calibrate`; `job` for an item of a job.
        status: `ok`, or `error` where the engine raised.
        error_type: class name of the exception; None where there was none.
        model: the wrapped model's name or path. family: its architecture (`llama`, …). engine: who ran the tokens.
        variant: the variant that answered in its place; None where the model itself did.
        task: the caller's tag for the kind of work. tags: the caller's other tags.
        inferred_task: the kind of work it was taken for where there is no tag; None where nothing infers it.
        batch_size: rows in the call.
        prompt_tokens: tokens in the caller's prompts, summed over rows, padding excluded.
        instruction_tokens: tokens a directive's instruction added, summed over rows; negative where a chat template
            drops a longer default system message for it.
        new_tokens: generated tokens up to and with the first end token, summed over returned rows.
        reuse: `answer` where the whole answer came from the answer cache and nothing was generated, `prefix` where the
            beginning of the prompt was not computed again; None where neither.
        reused_tokens: prompt tokens that were not computed again.
        limit_tokens: limit on new tokens per row that was in force. caller_limit_tokens: the caller's own, which a
            directive may have lowered; workload bins go by it.
        finish_reason: `eos`, `length`, `stop`, `repetition`; joined by `+` where the rows of a batch differ.
        knob_counts: what the knobs counted in this request, e.g. `early_tokens`; by the knobs' own names.
        zone: canonical zone name.
        intensity_g_per_kwh: grid intensity used; None where unknown.
        intensity_kind, intensity_factors, intensity_status, intensity_source: its provenance.
        intensity_start_utc: start of the reading's span.
        intensity_stale: True where the reading was held beyond its span.
        intensity_reason: why there is no reading, why it is stale, or why another source than the first gave it; None
            where none of these.
        policy, policy_version, catalogue_version: who chose, in which state.
        directive: what was served. propensity: the probability of having chosen it; None where the policy failed.
        decision_reason: a few words. decision_group: `policy` or `control`.
        candidates: names of the directives that the policy can choose and that could be applied, joined by commas.
        energy_j: energy charged to the request; None where unknown. gpu_j, cpu_j, dram_j: its parts.
        energy_by_device_j: J per device id.
        energy_method: `measured`, `apportioned`, `estimated`; `none` where unknown, and where nothing was generated.
        energy_uncertainty_j: half-width in J.
        meter: name of the meter.
        account_id: the energy account period it was booked in.
        pue: power usage effectiveness assumed.
        operational_g: g CO2e of running it. embodied_g: its share of making the hardware. None where unknown.
        overhead_s: the middleware's own time in this request, logging excluded.
        settled_g_per_kwh: what was published afterwards for the time of the request; None until it is settled. All
            that follows is None until then, and what was logged at the time stays as it was.
        settled_kind, settled_factors: those of the intensity that was logged; where none was, those of the source.
        settled_status: `actual`, or `estimated` where such figures were accepted.
        settled_source: who published it.
        settled_operational_g: g CO2e of running it at that intensity.
        settled_utc: when it was settled, or last corrected.
    """

    request_id: str
    session_id: str
    started_utc: datetime
    duration_s: float
    queue_s: float | None = None
    engine_s: float | None = None
    prepare_s: float | None = None
    compile_s: float | None = None
    first_token_s: float | None = None
    call: str
    purpose: Purpose = "request"
    status: Status = "ok"
    error_type: str | None = None

    model: str
    family: str | None = None
    variant: str | None = None
    engine: str
    task: str | None = None
    inferred_task: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    batch_size: int | None = None
    prompt_tokens: int | None = None
    instruction_tokens: int | None = None
    reuse: str | None = None
    reused_tokens: int | None = None
    new_tokens: int | None = None
    limit_tokens: int | None = None
    caller_limit_tokens: int | None = None
    finish_reason: str | None = None
    knob_counts: Mapping[str, float] = field(default_factory=dict)

    zone: str
    intensity_g_per_kwh: float | None = None
    intensity_kind: str | None = None
    intensity_factors: str | None = None
    intensity_status: str | None = None
    intensity_source: str | None = None
    intensity_start_utc: datetime | None = None
    intensity_stale: bool | None = None
    intensity_reason: str | None = None

    policy: str
    policy_version: str
    catalogue_version: str
    directive: str
    propensity: float | None = None
    decision_reason: str | None = None
    decision_group: str | None = None
    candidates: str

    energy_j: float | None = None
    gpu_j: float | None = None
    cpu_j: float | None = None
    dram_j: float | None = None
    energy_by_device_j: Mapping[str, float] = field(default_factory=dict)
    energy_method: str = "none"
    energy_uncertainty_j: float | None = None
    meter: str
    account_id: str | None = None

    pue: float
    operational_g: float | None = None
    embodied_g: float | None = None
    overhead_s: float

    settled_g_per_kwh: float | None = None
    settled_kind: str | None = None
    settled_factors: str | None = None
    settled_status: str | None = None
    settled_source: str | None = None
    settled_operational_g: float | None = None
    settled_utc: datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Column name to value."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRecord:
    """What one device drew over one account period, and where it went.

    `counter_j` is the difference of two readings of the device's own counter; the parts are booked window by window.
    `sprout-like ledger check` proves that requests + overhead + idle + elsewhere = counter.

    Attributes:
        account_id: the period; the same for all devices of a period.
        device_id, device_name, component, method, meter: as in `meters.Device`.
        session_id: the process' metering session.
        started_utc, ended_utc: the period.
        counter_j: energy by the counter over the period.
        requests_j: energy booked to requests of this ledger. requests_n: how many windows that were.
        elsewhere_j: energy booked to requests of other ledgers of the same process; of a device that several processes
            read, also what processes that are not ours drew, and the requests of one that was killed.
        overhead_j: loading, warm-up, compilation and windows whose reading failed.
        idle_j: energy between windows; of a device that several processes read, each joule is in one account only.
        host: the machine; None in rows of older releases.
        host_counter_id: names the counter that several processes read; None where the process reads its own part.
        host_from_j, host_to_j: the stretch of that counter which `counter_j` is a part of.
    """

    account_id: str
    device_id: str
    device_name: str
    component: str
    method: str
    meter: str
    session_id: str
    started_utc: datetime
    ended_utc: datetime
    counter_j: float
    requests_j: float
    requests_n: int
    elsewhere_j: float
    overhead_j: float
    idle_j: float
    host: str | None = None
    host_counter_id: str | None = None
    host_from_j: float | None = None
    host_to_j: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Column name to value."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityRecord:
    """One figure that a source gave for one slot, as `grid.Intensity` has it.

    Attributes:
        zone: canonical zone name.
        source: name of the source that gave it.
        kind: `average` or `marginal`. factors: `direct` or `lifecycle`.
        status: `actual`, `estimated` or `forecast`; a slot has a row for each that was seen.
        start_utc: start of the slot. end_utc: its end, exclusive.
        g_per_kwh: g CO2e per kWh.
        fetched_at_utc: when the source said so.
    """

    zone: str
    source: str
    kind: Kind
    factors: Factors
    status: IntensityStatus
    start_utc: datetime
    end_utc: datetime
    g_per_kwh: float
    fetched_at_utc: datetime

    @classmethod
    def of(cls, reading: Intensity) -> IntensityRecord:
        """The row of a reading."""
        return cls(**{name: getattr(reading, name) for name in cls.__slots__})

    def as_dict(self) -> dict[str, Any]:
        """Column name to value."""
        return {name: getattr(self, name) for name in self.__slots__}


def checked_tags(tags: Mapping[str, str] | None) -> Mapping[str, str]:
    """Tags that a row can hold; none where None is given.

    Raises:
        SettingError: a name or a value is no text.
    """
    for name, value in (tags or {}).items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise SettingError("tags", f"{name!r} is a {type(value).__name__}", "Give texts, as in {'team': 'search'}")
    return tags or {}


def checked_purpose(purpose: Purpose) -> Purpose:
    """A purpose that a row can hold.

    Raises:
        SettingError: there is none of that name.
    """
    if purpose not in get_args(Purpose):
        known = ", ".join(get_args(Purpose))
        raise SettingError("purpose", f"there is none named {purpose!r}", f"Use one of: {known}")
    return purpose
