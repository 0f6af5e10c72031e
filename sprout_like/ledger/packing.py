"""A request taken apart into what is its own and what repeats, and what repeats into a key. No database here.

The key of a part is a hash of its content, so that all processes give the same content the same key without asking.
At 63 bits, a million different contexts hold two of the same hash with a chance of 1 in 18 million (n²/2⁶⁴). Who writes
a part compares what is stored under its key with what was to be (`request_rows`), so that even that is noticed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final

from sprout_like.ledger.rows import encode_json
from sprout_like.record import RequestRecord

__all__ = ["CONTEXT", "PERIOD", "ROW", "SETTLEMENT", "Packed", "Packer", "Part", "key_of", "known"]

_PLAIN_PERIOD: Final = (
    "session_id",
    "account_id",
    "model",
    "family",
    "engine",
    "zone",
    "policy",
    "policy_version",
    "catalogue_version",
    "meter",
    "pue",
    "intensity_g_per_kwh",
    "intensity_kind",
    "intensity_factors",
    "intensity_status",
    "intensity_source",
    "intensity_start_utc",
    "intensity_stale",
    "intensity_reason",
)

PERIOD: Final = (*_PLAIN_PERIOD, "devices")
"""Columns of `request_periods`, its key excepted."""

_PLAIN_CONTEXT: Final = (
    "call",
    "purpose",
    "status",
    "error_type",
    "variant",
    "task",
    "inferred_task",
    "reuse",
    "finish_reason",
    "directive",
    "decision_reason",
    "decision_group",
    "candidates",
    "energy_method",
)

CONTEXT: Final = (*_PLAIN_CONTEXT, "tags")
"""Columns of `request_contexts`, its key excepted."""

SETTLEMENT: Final = (
    "settled_g_per_kwh",
    "settled_kind",
    "settled_factors",
    "settled_status",
    "settled_source",
    "settled_utc",
)
"""Columns of `request_settlements`, its key excepted."""

OWN: Final = (
    "started_utc",
    "duration_s",
    "queue_s",
    "engine_s",
    "prepare_s",
    "compile_s",
    "first_token_s",
    "propensity",
    "energy_j",
    "gpu_j",
    "cpu_j",
    "dram_j",
    "energy_uncertainty_j",
    "operational_g",
    "embodied_g",
    "overhead_s",
    "settled_operational_g",
    "batch_size",
    "prompt_tokens",
    "instruction_tokens",
    "reused_tokens",
    "new_tokens",
    "limit_tokens",
    "caller_limit_tokens",
    "request_id",
)
"""Columns of `request_rows` that hold a value as the record has it."""

ROW: Final = (*OWN, "context_id", "period_id", "settlement_id", "tags", "knob_counts", "energy_by_device_j")
"""Columns of `request_rows`."""

_MOST_PARTS: Final = 4096
"""Parts remembered; after that, they are worked out again."""

_MOST_TAGS: Final = 512
"""Different sets of tags that go into contexts; whoever has more of them tags single requests."""

_LEAST_J: Final = 1e-9
_MOST_J: Final = 1e15
"""Energies that every database writes out exactly lie between these."""

_UNSETTLED: Final = (None,) * len(SETTLEMENT)

_period, _context, _settlement, _own = (
    attrgetter(*names) for names in (_PLAIN_PERIOD, _PLAIN_CONTEXT, SETTLEMENT, OWN)
)


@dataclass(frozen=True, slots=True)
class Part:
    """What repeats: a row of one of the tables.

    Attributes:
        key: made of the values. values: its other columns.
    """

    key: int
    values: Mapping[str, Any]

    def row(self, key_name: str) -> dict[str, Any]:
        """All columns."""
        return {key_name: self.key, **self.values}


@dataclass(frozen=True, slots=True)
class Packed:
    """A request taken apart.

    Attributes:
        values: columns of `request_rows`, in the order of `ROW`. context, period, settlement: rows of the other tables.
    """

    values: tuple[Any, ...]
    context: Part
    period: Part
    settlement: Part | None


def key_of(values: tuple[Any, ...]) -> int:
    """A positive number of 63 bits made of the values.

    Raises:
        TypeError, ValueError: they have no JSON form.
    """
    return int.from_bytes(blake2b(encode_json(values).encode(), digest_size=8).digest()) >> 1


def known(values: Iterable[Any]) -> Iterator[Any]:
    """None for what is no number: SQLite makes NULL of it, and on PostgreSQL one such row would spoil every sum."""
    return (None if value != value else value for value in values)


class Packer:
    """Takes requests apart. It remembers the parts that it saw, which changes nothing but the time it takes.

    Args:
        make_key: from the values of a part.
    """

    def __init__(self, make_key: Callable[[tuple[Any, ...]], int] = key_of) -> None:
        self._make_key = make_key
        self._contexts: dict[tuple[Any, ...], Part] = {}
        self._periods: dict[tuple[Any, ...], Part] = {}
        self._settlements: dict[tuple[Any, ...], Part] = {}
        self._tags: set[tuple[tuple[str, str], ...]] = set()

    def packed(self, record: RequestRecord) -> Packed:
        """The request taken apart.

        Raises:
            TypeError, ValueError, AttributeError, RecursionError: a value that no column can hold.
        """
        tags = tuple(sorted(record.tags.items())) if record.tags else ()
        shared = self._are_shared(tags)
        devices = _devices(record)
        context = self._context((_context(record), tags if shared else ()))
        period = self._period((_period(record), devices))
        settled = _settlement(record)
        settlement = None if settled == _UNSETTLED else self._settlement(settled)
        values = (
            *_own(record),
            context.key,
            period.key,
            None if settlement is None else settlement.key,
            None if shared else dict(tags),
            dict(record.knob_counts) or None,
            dict(record.energy_by_device_j) if devices is None else None,
        )
        return Packed(values, context, period, settlement)

    def settlement(self, values: Mapping[str, Any]) -> Part:
        """What a request was settled by: a row of `request_settlements`."""
        return self._settlement(tuple(values[name] for name in SETTLEMENT))

    def _are_shared(self, tags: tuple[tuple[str, str], ...]) -> bool:
        if tags in self._tags:
            return True
        if len(self._tags) >= _MOST_TAGS:
            return tags == ()
        self._tags.add(tags)
        return True

    def _context(self, content: tuple[Any, ...]) -> Part:
        found = self._contexts.get(content)
        if found is None:
            plain, tags = content
            found = self._part(CONTEXT, (*plain, dict(tags)))
            _remember(self._contexts, content, found)
        return found

    def _period(self, content: tuple[Any, ...]) -> Part:
        found = self._periods.get(content)
        if found is None:
            plain, devices = content
            found = self._part(PERIOD, (*plain, _template(devices)))
            _remember(self._periods, content, found)
        return found

    def _settlement(self, content: tuple[Any, ...]) -> Part:
        found = self._settlements.get(content)
        if found is None:
            found = self._part(SETTLEMENT, content)
            _remember(self._settlements, content, found)
        return found

    def _part(self, names: tuple[str, ...], values: tuple[Any, ...]) -> Part:
        return Part(self._make_key(values), dict(zip(names, known(values), strict=True)))


def _remember(parts: dict[tuple[Any, ...], Part], content: tuple[Any, ...], part: Part) -> None:
    if len(parts) >= _MOST_PARTS:
        parts.clear()
    parts[content] = part


def _devices(record: RequestRecord) -> tuple[tuple[str, str], ...] | None:
    """Each device with the mark of the part that is its energy; None where there is a device without one."""
    found = []
    for name, energy_j in record.energy_by_device_j.items():
        if energy_j != 0 and not _LEAST_J <= abs(energy_j) < _MOST_J:
            return None
        if energy_j == record.gpu_j:
            found.append((name, "$g"))
        elif energy_j == record.cpu_j:
            found.append((name, "$c"))
        elif energy_j == record.dram_j:
            found.append((name, "$d"))
        else:
            return None
    return tuple(found)


def _template(devices: tuple[tuple[str, str], ...] | None) -> str | None:
    """JSON with marks for values; `$` in a name is escaped, so that no name holds a mark."""
    if devices is None:
        return None
    return "{" + ",".join(json.dumps(name).replace("$", "\\u0024") + ":" + mark for name, mark in devices) + "}"
