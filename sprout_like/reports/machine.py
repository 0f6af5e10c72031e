"""Writing for machines: JSON in which stamps are ISO 8601 and unknown is null."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["plain", "to_json"]


def to_json(data: Mapping[str, Any]) -> str:
    """Indented JSON."""
    return json.dumps(plain(data), indent=2, allow_nan=False)


def plain(value: Any) -> Any:
    """The value in JSON's own types; a float that is no number, which JSON cannot hold, is as good as unknown."""
    match value:
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case datetime():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
