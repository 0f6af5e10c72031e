"""Evaluations and their verdicts in the ledger, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from directives.workload import Bin
from sprout_like.evaluating.evaluation import Evaluation, Verdict
from sprout_like.evaluating.store import last_evaluation_utc, save_evaluation
from sprout_like.ledger.schema import EvaluationRow, VerdictRow

Make = Callable[..., Evaluation]


def test_an_evaluation_comes_back_as_it_was(engine: Engine, make_evaluation: Make) -> None:
    saved = make_evaluation()
    second = replace(saved.verdicts[0], directive="very_brief", bin=Bin(), request_id="7" * 32)
    saved = replace(saved, verdicts=(*saved.verdicts, second), verdicts_n=2)
    save_evaluation(engine, saved)

    with Session(engine) as session:
        row = session.scalars(select(EvaluationRow)).one()
        kept = {f.name: getattr(row, f.name) for f in fields(Evaluation) if hasattr(row, f.name)}
        assert {**asdict(saved), **kept} == asdict(saved)
        assert set(asdict(saved)) - set(kept) == {"verdicts", "judged_prompts"}
        verdicts = session.scalars(select(VerdictRow).order_by(VerdictRow.place)).all()
    for verdict, found in zip(saved.verdicts, verdicts, strict=True):
        for field in fields(Verdict):
            if field.name != "bin":
                assert getattr(found, field.name) == getattr(verdict, field.name)
        assert Bin(**{f.name: getattr(found, f"bin_{f.name}") for f in fields(Bin)}) == verdict.bin


def test_it_is_kept_whole_or_not_at_all(engine: Engine, make_evaluation: Make) -> None:
    verdict = make_evaluation().verdicts[0]
    broken = make_evaluation(verdicts=(verdict, replace(verdict, score=None)))
    with pytest.raises(IntegrityError):
        save_evaluation(engine, broken)

    with engine.connect() as connection:
        for table in (EvaluationRow, VerdictRow):
            assert connection.scalar(select(func.count()).select_from(table)) == 0


def test_the_last_evaluation_is_the_newest_that_gave_a_verdict(engine: Engine, make_evaluation: Make) -> None:
    assert last_evaluation_utc(engine, catalogue_version="builtin:1") is None
    first = make_evaluation()
    later = first.ended_utc + timedelta(hours=1)
    for number, changes in enumerate(
        [
            {},
            {"ended_utc": later, "model": "large"},
            {"ended_utc": later + timedelta(hours=1), "verdicts_n": 0, "verdicts": ()},
            {"ended_utc": later + timedelta(hours=2), "catalogue_version": "own:2"},
        ]
    ):
        save_evaluation(engine, make_evaluation(number, **changes))

    assert last_evaluation_utc(engine, catalogue_version="builtin:1") == later
    assert last_evaluation_utc(engine, catalogue_version="builtin:1", model="small") == first.ended_utc
