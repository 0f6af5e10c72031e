"""Checks a report and its manifest against the ledger, and says precisely what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from sprout_like.errors import ReportError
from sprout_like.reports.build import build
from sprout_like.reports.formats.written import written
from sprout_like.reports.hashing import DayHash, Hashes, hash_rows, hashed_columns
from sprout_like.reports.manifest import Manifest, manifest_file, read_manifest, report_file, settings_of, versions_of
from sprout_like.reports.summing import DaySums, Sums, moved, sum_rows
from sprout_like.settings import Settings

__all__ = ["Kept", "Outcome", "kept", "verify"]

_MOST_DAYS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a check found.

    Attributes:
        file: the report. days, rows: how many days and rows were compared.
        summed: whether of requests and accounts the sums of each day were compared, not each row.
        differences: in sentences without a full stop; empty where all is as it was.
    """

    file: Path
    days: int
    rows: int
    differences: tuple[str, ...]
    summed: bool = False

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def lines(self) -> Iterator[str]:
        """For people."""
        for difference in self.differences:
            yield f"DIFFERS: {difference}."
        if self.ok:
            yield (
                f"{self.file}: as it was made: the same bytes again from the same {self.rows:,} rows "
                f"of {self.days:,} day{'' if self.days == 1 else 's'}, settings and versions."
            )
        if self.summed:
            yield (
                "Requests and accounts of devices were compared by their sums of each day, not one by one: they are "
                "very many. `sprout-like report --every-row` makes a manifest that holds them to the last bit."
            )


@dataclass(frozen=True, slots=True)
class Kept:
    """A report as it lies there: the file, its bytes, and its manifest."""

    file: Path
    content: bytes
    manifest: Manifest


def kept(file: Path) -> Kept:
    """The report in a file, with the manifest beside it; either of them may be named.

    Raises:
        ReportError: either cannot be read, or the manifest is of columns that this release does not have.
    """
    file = report_file(file)
    try:
        content = file.read_bytes()
    except OSError as exc:
        raise ReportError(f"{file}: cannot be read ({exc.strerror}). Name a report that is there") from exc
    manifest = read_manifest(manifest_file(file))
    known = {f"{table}.{column}" for table, columns in hashed_columns().items() for column in columns}
    wanted = {f"{table}.{column}" for table, columns in manifest.columns.items() for column in columns}
    if lacking := ", ".join(sorted(wanted - known)):
        raise ReportError(
            f"{file}: the ledger of this release has no {lacking}. Check it with the release that made it"
        )
    return Kept(file, content, manifest)


def verify(report: Kept, engine: Engine, settings: Settings) -> Outcome:
    """Compare the bytes, the settings, the versions and the rows; then make the report again and compare that.

    Args:
        report: as it lies there.
        engine: of the ledger that it was made from, or of one that holds the same rows.
        settings: as they are now.

    Raises:
        ReportError: the format needs what is not installed.
        SettingError: the report cannot be made again as the settings are now.
        PolicyError: a row does not hold what a policy is made of.
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    manifest = report.manifest
    there = hash_rows(engine, **manifest.asked.span, columns=manifest.columns)
    found = [
        *_bytes(manifest, report.content),
        *_changed("setting", manifest.settings, settings_of(settings)),
        *_changed("version of", manifest.versions, versions_of(manifest.output)),
        *_rows(manifest, there),
        *(_sums(manifest.sums, sum_rows(engine, **manifest.asked.span)) if manifest.sums else ()),
    ]
    if not found and written(build(engine, settings, manifest.asked), manifest.output) != report.content:
        found.append("the report made again from the same rows, settings and versions has other bytes")
    days = {day for of in (*manifest.rows.values(), *manifest.sums.values()) for day in of}
    rows = sum(of.rows for table in manifest.rows.values() for of in table.values())
    rows += sum(int(of["rows"] or 0) for table in manifest.sums.values() for of in table.values())
    return Outcome(file=report.file, days=len(days), rows=rows, differences=tuple(found), summed=bool(manifest.sums))


def _bytes(manifest: Manifest, content: bytes) -> Iterator[str]:
    if sha256(content).hexdigest() != manifest.sha256:
        size = (
            "the same size" if len(content) == manifest.size else f"{manifest.size:,} bytes then, {len(content):,} now"
        )
        yield f"the report's bytes were changed after it was made ({size})"


def _changed(what: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield f"{what} {name}: {_said(then.get(name))} then, {_said(now.get(name))} now"


def _said(value: Any) -> str:
    return "none" if value is None else str(value)


def _rows(manifest: Manifest, there: Hashes) -> Iterator[str]:
    for table in manifest.columns:
        then, now = manifest.rows.get(table, {}), there[table]
        days = [day for day in sorted({*then, *now}) if then.get(day) != now.get(day)]
        yield from (f"{table}, {day}: {_moved(then.get(day), now.get(day))}" for day in days[:_MOST_DAYS])
        if len(days) > _MOST_DAYS:
            yield f"{table}: {len(days) - _MOST_DAYS:,} further days differ"


def _sums(then: Sums, now: Sums) -> Iterator[str]:
    for table in then:
        found = [
            f"{table}, {day}: {difference}"
            for day in sorted({*then[table], *now[table]})
            if (difference := _resummed(then[table].get(day, {}), now[table].get(day, {})))
        ]
        yield from found[:_MOST_DAYS]
        if len(found) > _MOST_DAYS:
            yield f"{table}: {len(found) - _MOST_DAYS:,} further days differ"


def _resummed(then: DaySums, now: DaySums) -> str:
    before, after = (int(of.get("rows") or 0) for of in (then, now))
    if before != after:
        return _counted(before, after)
    return "; ".join(moved(then, now))


def _moved(then: DayHash | None, now: DayHash | None) -> str:
    before, after = (0 if of is None else of.rows for of in (then, now))
    if before == after:
        return f"some of its {before:,} rows were changed"
    return _counted(before, after)


def _counted(before: int, after: int) -> str:
    word = "gained" if after > before else "lost"
    return f"{word} {abs(after - before):,} rows ({before:,} then, {after:,} now)"
