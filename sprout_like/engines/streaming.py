"""A streamer between `generate` and the caller's streamer: takes the time of the first token, hides what we added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["StreamTap"]


class StreamTap:
    """Passes every token on at once, and the end of the stream when the caller's request has been accounted for.

    Args:
        inner: the caller's streamer.
        monotonic_s: clock for the first token.
        prompt: what the caller's streamer is told the prompt was; None passes on what `generate` says.
    """

    def __init__(self, inner: Any, monotonic_s: Callable[[], float], prompt: Any = None) -> None:
        self._inner = inner
        self._monotonic_s = monotonic_s
        self._prompt = prompt
        self._prompt_seen = False
        self._ended = False
        self.first_token_at_s: float | None = None

    def put(self, value: Any) -> None:
        """Take what `generate` pushes: first the prompt, then new tokens."""
        if not self._prompt_seen:
            self._prompt_seen = True
            self._inner.put(value if self._prompt is None else self._prompt)
            return
        if self.first_token_at_s is None:
            self.first_token_at_s = self._monotonic_s()
        self._inner.put(value)

    def end(self) -> None:
        """Note that `generate` has ended the stream; the caller is told by `release`."""
        self._ended = True

    def release(self) -> None:
        """Tell the caller's streamer that the stream has ended, if `generate` had said so."""
        if self._ended:
            self._ended = False
            self._inner.end()
