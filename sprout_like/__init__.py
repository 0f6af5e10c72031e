"""Carbon-aware generation for Hugging Face models.

Importing this loads nothing heavy; `CarbonAware` is imported when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sprout_like.errors import LedgerError, MeterError, SettingError, SproutError
    from sprout_like.middleware import CarbonAware, Reply
    from sprout_like.record import AccountRecord, RequestRecord
    from sprout_like.settings import Settings

__all__ = [
    "AccountRecord",
    "CarbonAware",
    "LedgerError",
    "MeterError",
    "Reply",
    "RequestRecord",
    "SettingError",
    "Settings",
    "SproutError",
]

_HOMES = {
    "AccountRecord": "record",
    "CarbonAware": "middleware",
    "LedgerError": "errors",
    "MeterError": "errors",
    "Reply": "middleware",
    "RequestRecord": "record",
    "SettingError": "errors",
    "Settings": "settings",
    "SproutError": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
