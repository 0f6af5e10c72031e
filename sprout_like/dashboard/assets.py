"""The page's files, read once: no request ever reaches the disk.

All but the page itself are below an address with a hash of what they hold, so that a browser asks for them once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

__all__ = ["Asset", "read_assets"]

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}

_PAGE: Final = "/index.html"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page.

    Attributes:
        content: its bytes. media_type: its `Content-Type`. etag: its `ETag`.
        keep: its `Cache-Control`.
    """

    content: bytes
    media_type: str
    etag: str
    keep: str


def read_assets() -> Mapping[str, Asset]:
    """By path, `/` for the page; files of other types, such as licences, are not served."""
    contents = dict(sorted(_files(files("sprout_like.dashboard") / "static", "/")))
    page = contents.pop(_PAGE)
    digest = hashlib.sha256(repr(contents).encode())
    below = f"/{digest.hexdigest()[:16]}"
    found = {"/": _asset(_PAGE, re.sub(rb'(?<==")(?=/)', below.encode(), page), "no-cache")}
    for path, content in contents.items():
        if PurePosixPath(path).suffix in _TYPES:
            found[below + path] = _asset(path, content, "private, max-age=31536000, immutable")
    return found


def _asset(path: str, content: bytes, keep: str) -> Asset:
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    return Asset(content, _TYPES[PurePosixPath(path).suffix], etag, keep)


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_bytes()
