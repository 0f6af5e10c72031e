"""Libraries that come with an extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sprout_like.errors import SettingError

__all__ = ["needing"]


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """A block of imports that need this extra.

    Raises:
        SettingError: one of them failed; the message says what to install.
    """
    try:
        yield
    except ImportError as exc:
        raise SettingError(
            extra, f"{exc.name or 'a library'} cannot be imported", f'pip install "sprout-like[{extra}]"'
        ) from exc
