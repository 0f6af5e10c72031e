"""Files that commands write: nothing of the user's is lost, and each appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sprout_like.errors import ReportError, SettingError

__all__ = ["check_replaceable", "check_writable", "whole_file"]


def check_writable(file: Path, *, force: bool, ledger: Path | None) -> None:
    """Find out, before the work, whether a file can be written.

    Args:
        file: what `--out` names.
        force: it may be replaced, unless it is the ledger.
        ledger: the ledger's own file; None where it is on a server.

    Raises:
        ReportError: it is a folder, a device or the ledger, or there already and may not be replaced, or its folder is
            not there.
    """
    if file.is_dir():
        raise ReportError(f"--out: {file} is a folder. Name a file in it")
    if not file.absolute().parent.is_dir():
        raise ReportError(f"--out: there is no folder {file.absolute().parent}. Make it, or name another file")
    if file.exists() and not file.is_file():
        raise ReportError(f"--out: {file} is a device or a pipe. Name a file, or leave out --out to print it")
    if ledger is not None and ledger.exists() and file.exists() and file.samefile(ledger):
        raise ReportError(f"--out: {file} is the ledger itself. Name another file")
    if file.exists() and not force:
        raise ReportError(f"--out: {file} exists. Name another file, or add --force to replace it")


def check_replaceable(option: str, file: Path | None) -> None:
    """Find out now, rather than after ten minutes, whether a file can be written over what is there.

    Args:
        option: that names it.
        file: None for none.

    Raises:
        SettingError: it cannot.
    """
    if file is None:
        return
    was_there = file.exists()
    try:
        file.open("a").close()
        if not was_there:
            file.unlink()
    except OSError as exc:
        raise SettingError(
            option, f"cannot write {file}: {exc.strerror}", "Name a file in a folder that exists and is yours"
        ) from exc


@contextmanager
def whole_file(file: Path, *, force: bool) -> Iterator[BinaryIO]:
    """A stream whose content becomes the file at the end; an error before that leaves what was there.

    Raises:
        FileExistsError: the file has come meanwhile, and may not be replaced.
        OSError: it cannot be written.
    """
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            part.replace(file)
        else:
            os.link(part, file)  # unlike a renaming, this fails where a file has come meanwhile
    finally:
        part.unlink(missing_ok=True)
