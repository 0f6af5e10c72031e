"""Files that a replay can be made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sprout_like.replay.recorded import Given, mix_rows, requests_columns, trace_rows


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Files that can be replayed; a test spoils what it is about."""
    pytest.importorskip("pyarrow", reason="no pyarrow: pip install 'sprout-like[parquet]'")
    files = Given(tmp_path)
    files.write_requests(requests_columns())
    files.write_trace(trace_rows())
    files.write_mix(mix_rows())
    return files
