from __future__ import annotations

import os
import statistics
from pathlib import Path

import pytest

from benchmarks.forecast import COLUMNS, LEADS_H, read, score

FOLDER = Path(os.environ.get("SPROUT_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data")) / "traces"
TRACES = [*FOLDER.glob("*_20??Q?.csv"), *FOLDER.glob("*_20??.csv.gz")]


@pytest.mark.skipif(not TRACES, reason=f"no traces in {FOLDER}: set SPROUT_SHARED_DATA to the folder of traces/")
def test_it_beats_yesterday_and_last_week_at_every_lead() -> None:
    """Over all traces, from few origins; each trace by itself, from many, is `benchmarks/forecast.py`'s part."""
    scores = [score(read(path, column), every=97) for path in TRACES for column in COLUMNS]
    ratios = {
        lead: statistics.geometric_mean(scored[f"{lead}h"]["mape_over_best_naive"] for scored in scores)
        for lead in LEADS_H
    }
    assert all(ratio < 0.98 for ratio in ratios.values()), ratios
