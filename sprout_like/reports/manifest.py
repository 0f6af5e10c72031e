"""What lies beside a report so that anyone can check it: hashes of its rows and bytes, settings, versions.

Hashing takes 25 µs a request. Of a span of more than `MOST_HASHED`, sums by day stand for requests and accounts unless
all are asked for; the manifest says so, and so does the check.

Nothing in it depends on when or where it was made; no setting in it is secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, get_args

from sqlalchemy import Engine

from sprout_like.errors import ReportError
from sprout_like.ledger.migrate import HEAD
from sprout_like.policies import open_catalogue
from sprout_like.reports.build import Asked
from sprout_like.reports.formats.written import Format
from sprout_like.reports.hashing import DayHash, Hashes, hash_rows, hashed_columns
from sprout_like.reports.machine import to_json
from sprout_like.reports.summing import SUMMED, DaySums, Sums, sum_rows
from sprout_like.settings import Settings

__all__ = [
    "MOST_HASHED",
    "Manifest",
    "manifest_file",
    "manifest_of",
    "read_manifest",
    "report_file",
    "settings_of",
    "versions_of",
]

MOST_HASHED: Final = 100_000
"""Requests that are hashed one by one unless more is asked for: about 3 s."""

_FORM: Final = 1

_SUFFIX: Final = ".manifest.json"

_SETTINGS: Final = (
    "policy",
    "control_share",
    "explore_share",
    "floor",
    "mean_floor",
    "confidence",
    "carbon_budget_g_per_day",
    "latency_limit_s",
    "carbon_price_per_kg",
    "answer_value",
    "pinned",
    "forbidden",
    "pue",
    "market_g_per_kwh",
    "market_source",
    "wue_l_per_kwh",
    "wue_source",
    "price_per_kwh",
    "currency",
)
"""Those that a report may depend on."""

_LIBRARIES: Final[Mapping[Format, tuple[str, ...]]] = {
    "text": ("rich",),
    "html": ("jinja2", "matplotlib"),
    "parquet": ("pyarrow",),
}
"""Those that may write the same report in other bytes in another version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """How a report was made.

    Attributes:
        output: its format. sha256, size: of its bytes.
        asked: what it is about.
        settings: those that it may depend on, by name; `catalogue_version` among them.
        versions: of sprout-like, of the ledger's schema, and of what wrote the format.
        columns: by table, those that were hashed. rows: their hashes, by table and day.
        sums: of the tables that are not hashed but added up, by table and day.
    """

    output: Format
    sha256: str
    size: int
    asked: Asked
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    columns: Mapping[str, tuple[str, ...]]
    rows: Hashes
    sums: Sums

    def as_text(self) -> str:
        """JSON, its keys in order."""
        return f"{to_json({'manifest': _FORM, **asdict(self)})}\n"


def manifest_file(report: Path) -> Path:
    """The file beside a report."""
    return report.with_name(f"{report.name}{_SUFFIX}")


def report_file(named: Path) -> Path:
    """The report, also where it is its manifest that is named."""
    name = named.name.removesuffix(_SUFFIX)
    return named if name in ("", named.name) or manifest_file(named).exists() else named.with_name(name)


def manifest_of(
    content: bytes, output: Format, engine: Engine, settings: Settings, asked: Asked, *, every_row: bool = True
) -> Manifest:
    """Of a report just made.

    Args:
        content: its bytes.
        output: its format.
        engine: of the ledger that it was made from.
        settings: likewise.
        asked: what it is about.
        every_row: hash each request and account; else add them up by day.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database's own errors.
    """
    columns = {name: of for name, of in hashed_columns().items() if every_row or name not in SUMMED}
    return Manifest(
        output=output,
        sha256=sha256(content).hexdigest(),
        size=len(content),
        asked=asked,
        settings=settings_of(settings),
        versions=versions_of(output),
        columns={name: tuple(of) for name, of in columns.items()},
        rows=hash_rows(engine, **asked.span, columns=columns),
        sums={} if every_row else sum_rows(engine, **asked.span),
    )


def settings_of(settings: Settings) -> dict[str, Any]:
    """Those that a report may depend on, as JSON has them."""
    values = {name: getattr(settings, name) for name in _SETTINGS}
    values["catalogue_version"] = open_catalogue(settings).version
    plain: dict[str, Any] = json.loads(json.dumps(values, sort_keys=True))
    return plain


def versions_of(output: Format) -> dict[str, str]:
    """Of all that makes the bytes what they are."""
    libraries = {name: _version(name) for name in _LIBRARIES.get(output, ())}
    return {"sprout-like": version("sprout-like"), "schema": HEAD, **libraries}


def read_manifest(file: Path) -> Manifest:
    """The manifest in a file.

    Raises:
        ReportError: there is none, or it is not one that this release can read.
    """
    try:
        data = json.loads(file.read_text("utf-8"))
        if data.pop("manifest") != _FORM:
            raise ReportError(f"{file}: another release wrote this manifest. Check it with that one")
        return _manifest(data)
    except OSError as exc:
        raise ReportError(
            f"{file}: cannot be read ({exc.strerror}). `sprout-like report --out FILE` writes it beside FILE"
        ) from exc
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        if isinstance(exc, ReportError):
            raise
        raise ReportError(f"{file}: this is no manifest of a report. Make the report again") from exc


def _manifest(data: Mapping[str, Any]) -> Manifest:
    asked = data["asked"]
    if data["output"] not in get_args(Format):
        raise ValueError(data["output"])
    if {*SUMMED} - {*data["columns"], *data["sums"]}:
        raise ValueError("a table is neither hashed nor added up")
    return Manifest(
        output=data["output"],
        sha256=str(data["sha256"]),
        size=int(data["size"]),
        asked=Asked(
            since_utc=_stamp(asked["since_utc"]),
            until_utc=_stamp(asked["until_utc"]),
            period=asked["period"],
            by=_texts(asked["by"]),
            share_idle=bool(asked["share_idle"]),
        ),
        settings=dict(data["settings"]),
        versions=dict(data["versions"]),
        columns={name: _texts(of) for name, of in data["columns"].items()},
        rows={
            name: {day: DayHash(int(of["rows"]), str(of["sha256"])) for day, of in days.items()}
            for name, days in data["rows"].items()
        },
        sums={name: {day: _sums(of) for day, of in days.items()} for name, days in data["sums"].items()},
    )


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(map(str, values))


def _sums(values: Mapping[str, Any]) -> DaySums:
    """As they were written: numbers, or null where unknown; how many rows, always."""
    if not isinstance(values["rows"], int) or not all(
        of is None or isinstance(of, int | float) for of in values.values()
    ):
        raise ValueError(values)
    return dict(values)


def _stamp(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "none"
