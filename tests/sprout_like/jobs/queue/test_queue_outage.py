"""Databases that are not there, go away, or were changed by another release."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from sprout_like.errors import LedgerUnreachable, LedgerVersionError, SettingError
from sprout_like.jobs.job import Failure
from sprout_like.jobs.queue import open_queue
from sprout_like.ledger.migrate import HEAD, VERSION_TABLE
from sprout_like.meters.testing import ManualClock


def test_a_missing_file_is_made_only_where_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "ledger.sqlite"
    with pytest.raises(SettingError, match="there is no ledger at"):
        open_queue(path)
    assert not path.parent.exists()

    queue = open_queue(path, create=True)

    assert queue.jobs() == []
    queue.close()


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database" * 100)
    with pytest.raises(SettingError, match="not a SQLite database"):
        open_queue(tmp_path / "notes.txt")
    with pytest.raises(LedgerUnreachable, match=r"127\.0\.0\.1:9"):
        open_queue("postgresql://u:secret@127.0.0.1:9/db")


@pytest.mark.postgres
def test_an_outage_is_told_and_passes(postgres_server: Any, postgres_url: str, new_client: Any) -> None:
    clock = ManualClock()
    queue = open_queue(postgres_url, clock=clock)
    client = new_client(queue, clock)
    job_id = client.submit([8, 8])
    claim = client.claim(job_id)
    postgres_server.stop()
    try:
        for use in (
            lambda: client.finish(claim),
            lambda: queue.renew(claim, lease_s=60),
            lambda: client.claim(job_id),
            lambda: queue.standing(job_id),
            lambda: queue.planning().__enter__(),
        ):
            with pytest.raises(LedgerUnreachable) as told:
                use()
            assert postgres_server.password not in str(told.value)
    finally:
        postgres_server.start()

    assert client.finish(claim) == 2
    assert queue.job(job_id).state == "done"
    queue.close()


def test_a_file_that_was_taken_away_is_not_written_to(tmp_path: Path, new_client: Any) -> None:
    clock = ManualClock()
    path = tmp_path / "ledger.sqlite"
    queue = open_queue(path, clock=clock, create=True)
    client = new_client(queue, clock)
    claim = client.claim(client.submit())
    path.rename(tmp_path / "elsewhere")

    with pytest.raises(LedgerUnreachable, match="deleted or replaced"):
        client.finish(claim)

    (tmp_path / "elsewhere").rename(path)
    assert client.finish(claim) == 1
    queue.close()


def test_a_database_changed_by_another_release_is_left_alone(client: Any, engine: Engine, spec: str) -> None:
    job_id = client.submit([8, 8])
    claim = client.claim(job_id, 1)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))

    for use in (
        lambda: client.claim(job_id),
        lambda: client.finish(claim),
        lambda: client.queue.finish(claim, [], [Failure(place=0, error="x")]),
        lambda: client.queue.cancel(job_id),
        lambda: client.submit(),
        lambda: open_queue(spec),
    ):
        with pytest.raises(LedgerVersionError, match=f"schema 9999.*{HEAD}.*pip install --upgrade"):
            use()

    assert client.states(job_id) == "lw"
    assert client.queue.job(job_id).state == "waiting"
