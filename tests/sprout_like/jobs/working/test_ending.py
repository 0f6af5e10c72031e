"""What happens after a job's last item."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from sprout_like.jobs.job import Job
from sprout_like.jobs.queue import Queue
from tests.sprout_like.jobs.working.test_worker import Site, right


def test_the_answers_are_written_where_they_were_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        site.submit("one", "two", "three", out=str(out))
        site.worker(batch_size=2, at_once=True).run(until_empty=True)
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["text"] for line in lines] == right("one", "two", "three")
    assert all(line["operational_g"] > 0 for line in lines)


def test_a_file_that_came_meanwhile_is_left_alone_and_the_answers_stay_in_the_queue(tmp_path: Path, caplog) -> None:
    out = tmp_path / "answers.jsonl"
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        job = site.submit("one", out=str(out))
        out.write_text("mine")
        site.worker(at_once=True).run(until_empty=True)
        assert site.answers(job) == right("one")
    assert out.read_text() == "mine"
    assert "sprout-like jobs results" in caplog.text


def test_texts_are_wiped_after_their_time_and_figures_stay(tmp_path: Path) -> None:
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        job = site.submit("one")
        site.worker(at_once=True).run(until_empty=True)
        site.clock.advance(timedelta(days=29).total_seconds())
        site.worker(at_once=True).run(until_empty=True)
        assert site.answers(job) == right("one")
        site.clock.advance(timedelta(days=2).total_seconds())
        site.worker(at_once=True).run(until_empty=True)
        assert site.answers(job) == [None]
        assert site.queue.standing(job.job_id).done_n == 1


def test_what_a_killed_worker_did_not_write_the_next_one_does(tmp_path: Path) -> None:
    class Dying:
        """A queue whose worker dies before it can say that a file is written."""

        def __init__(self, queue: Queue) -> None:
            self._queue = queue

        def __getattr__(self, name: str) -> object:
            return getattr(self._queue, name)

        def undelivered(self, limit: int) -> list[Job]:
            raise KeyboardInterrupt

    out = tmp_path / "answers.jsonl"
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        queue = site.queue
        site.submit("one", out=str(out))
        site.queue = Dying(queue)
        with pytest.raises(KeyboardInterrupt):
            site.worker(at_once=True).run(until_empty=True)
        assert not out.exists()
        site.queue = queue
        site.clock.advance(5 * 24 * 3600)
        site.submit("two")
        site.worker(at_once=True).run(until_empty=True)
        assert json.loads(out.read_text("utf-8"))["text"] == right("one")[0]
        out.unlink()
        site.clock.advance(3600)
        site.worker(at_once=True).run(until_empty=True)
    assert not out.exists()  # moved away by its owner: it is not written again


def test_a_file_for_another_machine_s_folder_waits_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    with ExitStack() as stack:
        site = Site(tmp_path, stack)
        site.submit("one", out=str(folder / "answers.jsonl"))
        site.worker(at_once=True).run(until_empty=True)
        folder.mkdir()
        site.worker(at_once=True).run(until_empty=True)
    assert (folder / "answers.jsonl").exists()
