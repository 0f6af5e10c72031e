"""Fakes for tests, ours and yours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from sprout_like.carbon import operational_g
from sprout_like.errors import SproutError
from sprout_like.ledger.rows import Record, row_key
from sprout_like.record import AccountRecord, IntensityRecord, RequestRecord

__all__ = ["FailingStore", "MemoryLedger", "sample_account", "sample_request"]


class MemoryLedger:
    """Keeps rows in memory, each once, in order."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rows: dict[str, Record] = {}

    @property
    def name(self) -> str:
        """Its own for each object."""
        return f"memory-{id(self)}"

    @property
    def requests(self) -> list[RequestRecord]:
        """Request rows so far."""
        return [row for row in self._rows.values() if isinstance(row, RequestRecord)]

    @property
    def accounts(self) -> list[AccountRecord]:
        """Account rows so far."""
        return [row for row in self._rows.values() if isinstance(row, AccountRecord)]

    @property
    def intensities(self) -> list[IntensityRecord]:
        """Intensity rows so far."""
        return [row for row in self._rows.values() if isinstance(row, IntensityRecord)]

    def append(self, record: Record) -> None:
        """Keep it, unless it is there already."""
        with self._lock:
            self._rows.setdefault(row_key(record), record)

    def tick(self) -> None:
        """Nothing to do."""

    def flush(self) -> int:
        """Nothing ever waits."""
        return 0

    def close(self) -> None:
        """Nothing to release."""


class FailingStore:
    """A `Store` in memory that fails on command.

    Attributes:
        failure: raised by `prepare` and `insert` while it is set.
        refusals: what `insert` raises for a batch that holds the row of that key.
        rows: what was written, by key, in order.
    """

    def __init__(self, *, local: bool = True) -> None:
        self.name = "fake:"
        self.local = local
        self.failure: SproutError | None = None
        self.refusals: dict[str, SproutError] = {}
        self.rows: dict[str, Record] = {}

    def prepare(self) -> None:
        """Fail if told to."""
        if self.failure is not None:
            raise self.failure

    def insert(self, records: Sequence[Record]) -> None:
        """Keep the rows, or fail if told to."""
        if self.failure is not None:
            raise self.failure
        new = {row_key(record): record for record in records}
        for key in new.keys() & self.refusals.keys():
            raise self.refusals[key]
        for key, record in new.items():
            self.rows.setdefault(key, record)

    def tidy(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to release."""


def sample_request(number: int = 0, **changes: Any) -> RequestRecord:
    """A request with every column filled, its arithmetic right; `number` makes its id and start."""
    started_utc = datetime(2026, 3, 1, 12, tzinfo=UTC) + timedelta(seconds=number)
    record = RequestRecord(
        request_id=f"{number:032x}",
        session_id="5" * 32,
        started_utc=started_utc,
        duration_s=1.5,
        queue_s=0.25,
        engine_s=1.125,
        compile_s=0.0,
        first_token_s=0.0625,
        call="generate",
        model="HuggingFaceTB/SmolLM2-135M-Instruct",
        family="llama",
        engine="transformers",
        task="question",
        tags={"team": "search"},
        batch_size=1,
        prompt_tokens=33,
        instruction_tokens=7,
        new_tokens=32,
        limit_tokens=64,
        caller_limit_tokens=64,
        finish_reason="eos",
        zone="GB",
        intensity_g_per_kwh=180.0,
        intensity_kind="average",
        intensity_factors="direct",
        intensity_status="actual",
        intensity_source="uk",
        intensity_start_utc=started_utc.replace(minute=0, second=0),
        intensity_stale=False,
        policy="threshold",
        policy_version="threshold:1",
        catalogue_version="builtin:1",
        directive="brief",
        propensity=0.75,
        decision_reason="high intensity",
        decision_group="policy",
        candidates="full,brief,very_brief",
        energy_j=20.0,
        gpu_j=15.0,
        cpu_j=4.0,
        dram_j=1.0,
        energy_by_device_j={"GPU-0": 15.0, "rapl:package-0": 4.0, "rapl:dram-0": 1.0},
        energy_method="measured",
        energy_uncertainty_j=0.5,
        meter="nvml+rapl",
        account_id="a" * 32,
        pue=1.2,
        operational_g=operational_g(20.0, 180.0, 1.2),
        embodied_g=0.003,
        overhead_s=0.0001,
    )
    return replace(record, **changes)


def sample_account(**changes: Any) -> AccountRecord:
    """The account of one `sample_request` on its GPU; the parts add up."""
    started_utc = datetime(2026, 3, 1, 12, tzinfo=UTC)
    record = AccountRecord(
        account_id="a" * 32,
        device_id="GPU-0",
        device_name="NVIDIA H200",
        component="gpu",
        method="measured",
        meter="nvml+rapl",
        session_id="5" * 32,
        started_utc=started_utc,
        ended_utc=started_utc + timedelta(minutes=5),
        counter_j=100.0,
        requests_j=15.0,
        requests_n=1,
        elsewhere_j=5.0,
        overhead_j=10.0,
        idle_j=70.0,
    )
    return replace(record, **changes)
