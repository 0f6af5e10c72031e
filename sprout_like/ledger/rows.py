"""What the ledger keeps, and how a row travels through the spool: as JSON that comes back exactly as it went."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sprout_like.errors import RowRefused
from sprout_like.record import AccountRecord, IntensityRecord, RequestRecord

__all__ = ["KINDS", "Record", "encode_json", "from_json", "row_key", "to_json"]

Record = RequestRecord | AccountRecord | IntensityRecord

KINDS: Final[dict[str, type[Record]]] = {
    "requests": RequestRecord,
    "energy_accounts": AccountRecord,
    "intensities": IntensityRecord,
}
"""Table name to record, in the order in which a batch is written."""


def row_key(record: Record) -> str:
    """Primary key, for logs and messages."""
    if isinstance(record, RequestRecord):
        return record.request_id
    if isinstance(record, AccountRecord):
        return f"{record.account_id}/{record.device_id}"
    who = f"{record.zone}/{record.source}/{record.kind}/{record.factors}/{record.status}"
    return f"{who}/{record.start_utc.isoformat()}"


def to_json(record: Record) -> str:
    """The record as a JSON object; floats in their shortest exact form, stamps in ISO 8601.

    Raises:
        RowRefused: a value has no JSON form, or a stamp no time zone.
    """
    try:
        return encode_json(record.as_dict())
    except (TypeError, ValueError, RecursionError) as exc:
        raise RowRefused(str(exc)) from exc


def from_json(kind: str, text: str) -> Record:
    """The record that `to_json` was given. Columns that the writer did not know yet take their defaults.

    Raises:
        RowRefused: not a row this release knows.
    """
    try:
        values = json.loads(text)
        for name, value in values.items():
            if name.endswith("_utc") and value is not None:
                values[name] = datetime.fromisoformat(value)
        return KINDS[kind](**values)
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise RowRefused(f"not a row of this release: {exc}") from exc


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a stamp without a time zone")
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


encode_json: Final = json.JSONEncoder(separators=(",", ":"), default=_plain).encode
"""Compact JSON; the JSON columns are written with it too."""
