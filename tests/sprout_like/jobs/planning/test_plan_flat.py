"""Where waiting brings nothing, nothing waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sprout_like.jobs.planning import Due, Station, plan_jobs

NOW = datetime(2026, 1, 1, 12, 7, 33, tzinfo=UTC)
HOUR = NOW.replace(minute=0, second=0)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tokens", [200.0, 20_000.0])
def test_under_a_flat_grid_a_job_runs_at_once(seed: int, tokens: float) -> None:
    outlook = tuple((HOUR + timedelta(hours=h), HOUR + timedelta(hours=h + 1), 150.0) for h in range(97))
    station = Station(
        worker_id="w",
        zone="GB",
        model="m",
        engine="e",
        pace_tokens_per_s=20.0,
        power_w=20.0,
        load_s=2.2,
        load_j=40.0,
        idle_w=5.0,
        outlook=outlook,
    )
    due = Due(job_id="j", model="m", work_tokens=tokens, deadline_utc=NOW + timedelta(hours=8))
    agenda = plan_jobs([due], [station], NOW, seed=seed)
    assert [span.start_utc for span in agenda.spans] == [NOW]
