"""The page's files, read once: no request ever reaches the disk."""

from __future__ import annotations

import hashlib
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


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the page, with its `Content-Type` and `ETag`."""

    content: bytes
    media_type: str
    etag: str


def read_assets() -> Mapping[str, Asset]:
    """By path from the root, `/` for the page; files of other types, such as licences, are not served."""
    found = {}
    for path, content in _files(files("sprout_like.dashboard") / "static", "/"):
        media_type = _TYPES.get(PurePosixPath(path).suffix)
        if media_type is not None:
            name = "/" if path == "/index.html" else path
            found[name] = Asset(content, media_type, f'"{hashlib.sha256(content).hexdigest()[:24]}"')
    return found


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_bytes()
