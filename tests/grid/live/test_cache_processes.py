from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from grid.live.cache import CacheKey, DiskCache
from grid.testing import NOON, ManualClock

KEY = CacheKey("scripted", "GB", "average", "direct")

WRITER = """
import itertools, sys
from datetime import timedelta
from pathlib import Path
from grid.live.cache import DiskCache
from grid.testing import NOON, ManualClock, reading

folder, first, step, count = Path(sys.argv[1]), *map(int, sys.argv[2:])
cache = DiskCache(folder, now_utc=ManualClock())
for n in itertools.islice(itertools.count(first, step), count or None):
    minute = n % 720
    cache.store("scripted", [reading(n % 5000, start_utc=NOON + timedelta(minutes=minute), slot_s=60)])
    print("stored", flush=True)
"""


def _writer(folder: Path, first: int, step: int, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(first), str(step), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_of_what_two_processes_write_to_one_day_nothing_is_lost(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, first, 2, 60) for first in (0, 1)]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert (writer.returncode, errors) == (0, "")
    stored = DiskCache(tmp_path, now_utc=ManualClock()).readings(KEY, NOON, NOON + timedelta(days=1))
    assert [r.g_per_kwh for r in stored] == list(range(120))


def test_a_writer_killed_at_work_leaves_a_cache_that_can_be_read_and_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = DiskCache(tmp_path, now_utc=ManualClock())
    for round_ in range(3):
        with _writer(tmp_path, 100 * round_, 1, 0) as writer:
            assert writer.stdout is not None
            for _ in range(20 + 7 * round_):
                writer.stdout.readline()
            writer.kill()
        stored = cache.readings(KEY, NOON, NOON + timedelta(days=1))
        known = {round(r.g_per_kwh) for r in stored}
        assert known >= set(range(100 * round_, 100 * round_ + 20))
    assert caplog.records == []
