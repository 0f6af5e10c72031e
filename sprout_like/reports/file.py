"""A report as a file, and its manifest beside it: both appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import Engine

from sprout_like.errors import ReportError
from sprout_like.reports.build import Asked
from sprout_like.reports.formats.written import Format, written
from sprout_like.reports.manifest import manifest_file, manifest_of
from sprout_like.reports.report import Report
from sprout_like.settings import Settings

__all__ = ["check_free", "write"]


def check_free(file: Path, *, force: bool, manifest: bool) -> None:
    """Find out, before the work, whether the files can be written.

    Raises:
        ReportError: one is a folder, or is there already and may not be replaced, or its folder is not there.
    """
    if file.is_dir():
        raise ReportError(f"--out: {file} is a folder. Name a file in it")
    if not file.absolute().parent.is_dir():
        raise ReportError(f"--out: there is no folder {file.absolute().parent}. Make it, or name another file")
    for there in (file, manifest_file(file)) if manifest else (file,):
        if there.exists() and not force:
            raise ReportError(f"--out: {there} exists. Name another file, or add --force to replace it")


def write(
    content: Report,
    engine: Engine,
    settings: Settings,
    asked: Asked,
    *,
    file: Path,
    output: Format,
    force: bool = False,
    manifest: bool = True,
) -> None:
    """Write a report.

    Args:
        content: the report.
        engine: of the ledger that it was made from, for the manifest.
        settings: likewise.
        asked: likewise.
        file: where it goes.
        output: its format.
        force: replace what is there.
        manifest: write the manifest too; without it, one that is there goes, as it would be another report's.

    Raises:
        ReportError: the files cannot be written, or the format needs what is not installed.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    check_free(file, force=force, manifest=manifest)
    as_bytes = written(content, output)
    beside = manifest_file(file)
    text = manifest_of(as_bytes, output, engine, settings, asked).as_text().encode() if manifest else None
    try:
        if text is None:
            beside.unlink(missing_ok=True)
        _put(file, as_bytes, force=force)
        if text is not None:
            _put(beside, text, force=force)
    except OSError as exc:
        raise ReportError(
            f"--out: cannot write {file} ({exc.strerror}). Name a file in a folder that is yours"
        ) from exc


def _put(file: Path, content: bytes, *, force: bool) -> None:
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            part.replace(file)
        else:
            os.link(part, file)  # unlike a renaming, this fails where a file has come meanwhile
    finally:
        part.unlink(missing_ok=True)
