"""A report, its manifest, and what is found when either or the ledger was changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete

from sprout_like.errors import ReportError
from sprout_like.ledger import open_engine, open_ledger
from sprout_like.ledger.schema import StoredRequestRow
from sprout_like.ledger.testing import sample_account, sample_request
from sprout_like.record import AccountRecord, RequestRecord
from sprout_like.reports.build import Asked, build
from sprout_like.reports.file import write
from sprout_like.reports.formats.written import FORMATS, Format
from sprout_like.reports.hashing import hash_rows
from sprout_like.reports.manifest import manifest_file
from sprout_like.reports.verify import Outcome, verify
from sprout_like.reports.verify import kept as kept_report
from sprout_like.settings import Settings
from tests.sprout_like.ledger.rewriting import rewrite_requests

MARCH = Asked(
    since_utc=datetime(2026, 3, 1, tzinfo=UTC),
    until_utc=datetime(2026, 4, 1, tzinfo=UTC),
    period="2026-03",
    by=("day", "tag:team"),
)
SECOND = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROWS: tuple[RequestRecord | AccountRecord, ...] = (
    *(sample_request(number) for number in range(3)),
    *(sample_request(10 + number, started_utc=SECOND + timedelta(minutes=number)) for number in range(2)),
    sample_account(),
)


class Kept:
    """A ledger, and a report of it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder = folder
        self.file = folder / "march.json"
        self.settings = Settings.load(policy="full", **settings)
        self.append(*ROWS)
        self.engine = open_engine(folder / "ledger.sqlite")

    def append(self, *rows: RequestRecord | AccountRecord) -> None:
        ledger = open_ledger(self._folder / "ledger.sqlite", spool_path=self._folder / "spool.sqlite")
        for row in rows:
            ledger.append(row)
        assert ledger.flush() == 0
        ledger.close()

    def report(self, output: Format = "json", **how: Any) -> Path:
        file = self._folder / f"march.{output}"
        content = build(self.engine, self.settings, MARCH)
        write(content, self.engine, self.settings, MARCH, file=file, output=output, **how)
        return file

    def change(self, statement: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)

    def verified(self, file: Path | None = None, **settings: Any) -> Outcome:
        return verify(kept_report(file or self.file), self.engine, self.settings.replaced(**settings))


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    ledger = Kept(tmp_path)
    yield ledger
    ledger.engine.dispose()


@pytest.mark.parametrize("output", FORMATS)
def test_an_untouched_report_is_made_again_byte_by_byte(kept: Kept, output: Format) -> None:
    if output == "parquet":
        pytest.importorskip("pyarrow", reason='pip install "sprout-like[parquet]"')
    file = kept.report(output)
    first = file.read_bytes(), manifest_file(file).read_bytes()

    outcome = kept.verified(file)
    kept.report(output, force=True)

    assert outcome.ok
    assert list(outcome.lines()) == [
        f"{file}: as it was made: the same bytes again from the same 6 rows of 2 days, settings and versions."
    ]
    assert (file.read_bytes(), manifest_file(file).read_bytes()) == first


def test_rows_of_another_time_change_nothing(kept: Kept) -> None:
    kept.report()
    kept.append(
        sample_request(20, started_utc=MARCH.until_utc),
        sample_account(account_id="late", started_utc=MARCH.until_utc),
    )

    assert kept.verified().ok


def test_a_day_that_gained_rows_is_named(kept: Kept) -> None:
    kept.report()
    kept.append(sample_request(20, started_utc=SECOND), sample_request(21, started_utc=SECOND + timedelta(days=3)))

    assert kept.verified().differences == (
        "requests, 2026-03-02: gained 1 rows (2 then, 3 now)",
        "requests, 2026-03-05: gained 1 rows (0 then, 1 now)",
    )


def test_a_day_that_lost_rows_is_named(kept: Kept) -> None:
    kept.report()
    kept.change(delete(StoredRequestRow).where(StoredRequestRow.request_id == f"{10:032x}"))

    assert kept.verified().differences == ("requests, 2026-03-02: lost 1 rows (2 then, 1 now)",)


@pytest.mark.parametrize(
    "change",
    [
        {"energy_j": 20.000000000001},
        {"tags": {"team": "Search"}},
        {"duration_s": 1.5000000001},
        {"settled_utc": SECOND},
        {"intensity_stale": True},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_row_that_was_changed_is_found_by_its_day_however_little_it_is(kept: Kept, change: dict[str, Any]) -> None:
    kept.report()
    with kept.engine.begin() as connection:
        rewrite_requests(connection, [f"{1:032x}"], **change)

    assert kept.verified().differences == ("requests, 2026-03-01: some of its 3 rows were changed",)


def test_an_account_that_was_changed_is_found(kept: Kept) -> None:
    kept.report()
    with kept.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE energy_accounts SET idle_j = idle_j + 1")

    assert kept.verified().differences == ("energy_accounts, 2026-03-01: some of its 1 rows were changed",)


def test_bytes_that_were_changed_are_found(kept: Kept) -> None:
    kept.report()
    kept.file.write_bytes(kept.file.read_bytes().replace(b"search", b"SEARCH"))

    assert kept.verified().differences == ("the report's bytes were changed after it was made (the same size)",)


def test_a_setting_that_differs_is_named_and_one_that_does_not_matter_is_not(kept: Kept) -> None:
    kept.report()

    outcome = kept.verified(market_g_per_kwh=25.0, market_source="Utility", zone="FR")

    assert outcome.differences == (
        "setting market_g_per_kwh: none then, 25.0 now",
        "setting market_source: none then, Utility now",
    )
    assert next(outcome.lines()) == "DIFFERS: setting market_g_per_kwh: none then, 25.0 now."


def test_another_version_is_named(kept: Kept) -> None:
    kept.report()
    manifest = manifest_file(kept.file)
    data = json.loads(manifest.read_text())
    data["versions"]["sprout-like"] = "0.0.1"
    manifest.write_text(json.dumps(data))

    (difference,) = kept.verified().differences
    assert difference.startswith("version of sprout-like: 0.0.1 then, ")


def test_a_report_and_its_manifest_forged_together_are_not_what_the_ledger_gives(kept: Kept) -> None:
    kept.report()
    forged = kept.file.read_bytes().replace(b'"search"', b'"nobody"')
    kept.file.write_bytes(forged)
    manifest = manifest_file(kept.file)
    data = json.loads(manifest.read_text()) | {"sha256": sha256(forged).hexdigest(), "size": len(forged)}
    manifest.write_text(json.dumps(data))

    assert kept.verified().differences == (
        "the report made again from the same rows, settings and versions has other bytes",
    )


def test_a_manifest_holds_no_secret(tmp_path: Path) -> None:
    ledger = Kept(tmp_path, grid="uk+http://me:hunter2@host/path", judge_key="hunter2", entsoe_token="hunter2")
    ledger.report()
    ledger.engine.dispose()

    assert "hunter2" not in manifest_file(ledger.file).read_text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("no json", "this is no manifest"),
        ("[]", "this is no manifest"),
        ('{"manifest": 1}', "this is no manifest"),
        ('{"manifest": 99}', "another release wrote this manifest"),
    ],
)
def test_a_manifest_that_is_none_is_an_error_that_says_so(kept: Kept, content: str | None, said: str) -> None:
    kept.report()
    manifest = manifest_file(kept.file)
    manifest.unlink()
    if content is not None:
        manifest.write_text(content)

    with pytest.raises(ReportError, match=said):
        kept.verified()


def test_a_manifest_of_columns_that_are_gone_is_an_error_that_names_them(kept: Kept) -> None:
    kept.report()
    manifest = manifest_file(kept.file)
    data = json.loads(manifest.read_text())
    data["columns"]["requests"].append("shoe_size")
    manifest.write_text(json.dumps(data))

    with pytest.raises(ReportError, match=r"no requests\.shoe_size\. Check it with the release that made it"):
        kept.verified()


def test_columns_that_came_later_do_not_matter(kept: Kept) -> None:
    """A manifest names what it hashed: here without the columns of the host, as an older release would have."""
    columns = {"requests": ["request_id", "energy_j"]}
    kept.report()
    manifest = manifest_file(kept.file)
    data = json.loads(manifest.read_text())
    data["columns"] = columns | {name: of for name, of in data["columns"].items() if name != "requests"}
    hashes = hash_rows(kept.engine, **MARCH.span, columns=data["columns"])
    data["rows"]["requests"] = {day: {"rows": of.rows, "sha256": of.sha256} for day, of in hashes["requests"].items()}
    manifest.write_text(json.dumps(data))

    assert kept.verified().ok


def test_a_file_that_is_there_is_kept_and_a_folder_is_none(kept: Kept, tmp_path: Path) -> None:
    kept.report()

    with pytest.raises(ReportError, match=r"march\.json exists. Name another file, or add --force"):
        kept.report()
    with pytest.raises(ReportError, match="is a folder"):
        write(build(kept.engine, kept.settings), kept.engine, kept.settings, MARCH, file=tmp_path, output="json")
    missing = tmp_path / "no" / "x.json"
    with pytest.raises(ReportError, match="there is no folder"):
        write(build(kept.engine, kept.settings), kept.engine, kept.settings, MARCH, file=missing, output="json")
    kept.file.unlink()
    with pytest.raises(ReportError, match=r"march\.json\.manifest\.json exists"):
        kept.report()


def test_without_a_manifest_an_older_one_does_not_stay_beside_a_newer_report(kept: Kept) -> None:
    kept.report()
    kept.report(force=True, manifest=False)

    assert not manifest_file(kept.file).exists()
    assert [path.name for path in kept.file.parent.glob(".*part")] == []


@pytest.mark.postgres
def test_rows_have_the_same_hashes_on_every_database(
    tmp_path: Path, postgres_url: str, fill_ledger: Callable[..., Engine]
) -> None:
    engines = [fill_ledger(spec, ROWS) for spec in (str(tmp_path / "l.sqlite"), postgres_url)]

    one, other = (hash_rows(engine, **MARCH.span) for engine in engines)

    assert one == other
    assert {day: of.rows for day, of in one["requests"].items()} == {"2026-03-01": 3, "2026-03-02": 2}
