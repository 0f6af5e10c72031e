"""A report as a file, and its manifest beside it: both appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Engine

from sprout_like.errors import ReportError
from sprout_like.ledger.address import file_of
from sprout_like.reports.build import Asked
from sprout_like.reports.formats.written import Format, written
from sprout_like.reports.manifest import MOST_HASHED, manifest_file, manifest_of
from sprout_like.reports.report import Report
from sprout_like.settings import Settings
from sprout_like.whole_file import check_writable, whole_file

__all__ = ["check_free", "write"]


def check_free(file: Path, *, force: bool, manifest: bool, ledger: URL) -> None:
    """Find out, before the work, whether the files can be written.

    Raises:
        ReportError: one of them cannot, as of `check_writable`.
    """
    check_writable(file, force=force, ledger=file_of(ledger))
    if manifest:
        check_writable(manifest_file(file), force=force, ledger=file_of(ledger))


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
    every_row: bool = False,
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
        every_row: hash each row for it, however many there are; else add them up by day where they are very many.

    Raises:
        ReportError: the files cannot be written, or the format needs what is not installed.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    check_free(file, force=force, manifest=manifest, ledger=engine.url)
    as_bytes = written(content, output)
    beside = manifest_file(file)
    text = None
    if manifest:
        every_row = every_row or sum(line.usage.requests for line in content.headlines) <= MOST_HASHED
        made = manifest_of(as_bytes, output, engine, settings, asked, every_row=every_row)
        text = made.as_text().encode()
    try:
        if text is None:
            beside.unlink(missing_ok=True)
        _put(file, as_bytes, force=force)
        if text is not None:
            _put(beside, text, force=force)
    except OSError as exc:
        raise ReportError(
            f"--out: cannot write {file} ({exc.strerror}). Name a file in a folder that is yours and has room"
        ) from exc


def _put(file: Path, content: bytes, *, force: bool) -> None:
    with whole_file(file, force=force) as stream:
        stream.write(content)
