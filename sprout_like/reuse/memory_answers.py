"""Answers kept in this process' memory."""

from __future__ import annotations

import threading
from collections import OrderedDict

__all__ = ["MemoryAnswers"]


class MemoryAnswers:
    """An `AnswerStore` that is gone with the process.

    Args:
        most_entries: most answers kept.
        most_bytes: most bytes of their contents; an answer above it is not kept.
    """

    def __init__(self, *, most_entries: int, most_bytes: int) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """The content, which is then the last to go."""
        with self._lock:
            content = self._kept.get(key)
            if content is not None:
                self._kept.move_to_end(key)
            return content

    def put(self, key: str, content: str) -> None:
        """Keep it, and let go of the longest unused."""
        size = len(content)  # JSON of numbers and ASCII names: a byte per character
        with self._lock:
            self._bytes -= len(self._kept.pop(key, ""))
            if size > self._most_bytes:
                return
            self._kept[key] = content
            self._bytes += size
            while len(self._kept) > self._most_entries or self._bytes > self._most_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])

    def peek(self, key: str) -> str | None:
        """The content; asking does not count as use."""
        with self._lock:
            return self._kept.get(key)

    def tick(self) -> None:
        """Nothing: it is shared with nobody."""

    def close(self) -> None:
        """Nothing is held."""
