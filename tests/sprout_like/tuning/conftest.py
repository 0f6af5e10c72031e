"""A ledger with a day and a half of simulated requests under a known policy, and verdicts on its directives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, insert

from directives import Catalogue
from directives.workload import Bin
from sprout_like.carbon import operational_g
from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.ledger.migrate import ensure_schema
from sprout_like.ledger.request_rows import insert_requests
from sprout_like.ledger.schema import EvaluationRow, VerdictRow
from sprout_like.ledger.testing import sample_request
from sprout_like.settings import Settings

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=3)
MODEL = sample_request().model
COST_J = {"full": 40.0, "brief": 20.0, "very_brief": 10.0}
BIN = Bin(task="question", prompt_tokens="1-128", limit_tokens="129-512", batch_size="1")


@dataclass
class Simulated:
    """Writes rows into a ledger.

    Attributes:
        engine: of its database. catalogue: what the rows are served under.
    """

    engine: Engine
    catalogue: Catalogue = field(default_factory=Catalogue.builtin)
    numbers: int = 0

    def requests(self, n: int, chances: dict[str, float], *, seed: int = 0, **changes: Any) -> None:
        """Serve that many over 36 hours, at 100 and 300 g/kWh in turn; the budget of `brief` cuts its limit."""
        rng = Random(seed)
        rows = []
        for _ in range(n):
            directive = rng.choices(list(chances), list(chances.values()))[0]
            intensity = float(rng.choice([100, 110, 300, 310]))
            energy = rng.gammavariate(4, COST_J.get(directive, 30.0) / 4)
            record = {
                "started_utc": START + timedelta(hours=36 * rng.random()),
                "catalogue_version": self.catalogue.version,
                "limit_tokens": 96 if directive == "brief" else 256,
                "caller_limit_tokens": 256,
                "directive": directive,
                "propensity": chances[directive],
                "candidates": ",".join({"full": 1, **dict.fromkeys(chances)}),
                "intensity_g_per_kwh": intensity,
                "energy_j": energy,
                "engine_s": energy / 40,
                "operational_g": operational_g(energy, intensity, 1.2),
                **changes,
            }
            rows.append(sample_request(self.numbers, **record))
            self.numbers += 1
        with self.engine.begin() as connection:
            insert_requests(connection, rows)

    def verdicts(
        self, scores: dict[str, Sequence[tuple[float, float]]], *, number: int = 0, judge: str = "exact", **changes: Any
    ) -> None:
        """One evaluation that cost 36 kJ at 200 g/kWh, with a verdict per pair of scores by directive.

        Changes go to the evaluation where it has such a column, else to the verdicts.
        """
        pairs = [(name, pair) for name, of in scores.items() for pair in of]
        evaluation = {
            "evaluation_id": f"{number:032x}",
            "started_utc": START,
            "ended_utc": START + timedelta(hours=1 + number),
            "reason": "asked",
            "ended": "all",
            "model": MODEL,
            "catalogue_version": self.catalogue.version,
            "judge": judge,
            "prompts_n": len(pairs),
            "verdicts_n": len(pairs),
            "dropped_n": 0,
            "ties_n": 0,
            "first_n": 0,
            "second_n": 0,
            "dropped": {},
            "energy_j": 36e3,
            "operational_g": 2.0,
            "judge_energy_method": "none",
            "judge_s": 0.0,
        }
        evaluation |= {name: changes.pop(name) for name in EvaluationRow.__table__.columns.keys() & changes.keys()}
        rows = [
            {
                "evaluation_id": evaluation["evaluation_id"],
                "place": place,
                "judged_utc": START,
                "prompt_number": place,
                "request_id": None,
                "directive": name,
                **{f"bin_{part}": getattr(BIN, part) for part in Bin.__slots__},
                "score": score,
                "full_score": full_score,
                **changes,
            }
            for place, (name, (score, full_score)) in enumerate(pairs)
        ]
        with self.engine.begin() as connection:
            connection.execute(insert(EvaluationRow), [evaluation])
            connection.execute(insert(VerdictRow), rows)


def right(share: float, n: int = 400) -> list[tuple[float, float]]:
    """Scores of a directive that is right on that share of the prompts, where `full` is right on 80 %."""
    return [(float(i < share * n), float(i < 0.8 * n)) for i in range(n)]


@pytest.fixture
def scores() -> Callable[..., list[tuple[float, float]]]:
    return right


@pytest.fixture
def start() -> datetime:
    return START


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def home() -> Bin:
    return BIN


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def simulated(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Simulated]:
    """An empty ledger to fill, on either database."""
    spec = str(tmp_path / "ledger.sqlite") if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    engine = build_engine(parse_address(spec))
    ensure_schema(engine)
    yield Simulated(engine)
    engine.dispose()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Simulated]:
    """An empty ledger to fill, on SQLite alone."""
    engine = build_engine(parse_address(tmp_path / "ledger.sqlite"))
    ensure_schema(engine)
    yield Simulated(engine)
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings.load(floor=0.9, pue=1.2)
