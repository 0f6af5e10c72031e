"""Writing for machines: JSON in which stamps are ISO 8601 and unknown is null."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["to_json"]


def to_json(data: Mapping[str, Any]) -> str:
    """Indented JSON."""
    return json.dumps(data, indent=2, default=_iso, allow_nan=False)


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"cannot write {type(value).__name__} as JSON")
