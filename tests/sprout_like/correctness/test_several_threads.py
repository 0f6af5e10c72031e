"""Threads with different directives on one model each get what they would get alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

pytestmark = pytest.mark.model

PAIRS = [
    ("full", "half"),
    ("half", "skip"),
    ("self", "half"),
    ("self", "sure"),
    ("exit", "self"),
    ("help", "look"),
    ("flat", "fp8"),
    ("flat", "pre"),
    ("half_pre", "skip_pre"),
    ("var", "help"),
    ("kept", "half_kept"),
]
FOUR = ("full", "half_look", "self_kept", "exit")
NAMES = {name for names in (*PAIRS, FOUR) for name in names} - {"full"}


@pytest.fixture(scope="module")
def served(serve: Any, varied: Any, twin_of: Any) -> Any:
    model = varied("llama")
    return serve(model, NAMES, other=twin_of(twin_of(model)))


@pytest.mark.parametrize("names", [*PAIRS, FOUR], ids="+".join)
def test_each_gets_what_it_gets_alone(served: Any, prompt: Any, questions: Any, names: tuple[str, ...]) -> None:
    calls = [
        {**prompt(question), "max_new_tokens": limit, "do_sample": False} for question in questions for limit in (5, 14)
    ]

    def answers(name: str) -> list[Any]:
        view = served.aware.using(policy=name)
        return [view.generate(**call).tolist() for call in calls]

    alone = {name: answers(name) for name in names}
    rows_before = len(served.ledger.requests)
    with ThreadPoolExecutor(len(names)) as pool:
        together = dict(zip(names, pool.map(answers, names), strict=True))

    assert together == alone
    rows = served.ledger.requests[rows_before:]
    assert sorted(row.directive for row in rows) == sorted(name for name in names for _ in calls)
    assert {row.status for row in rows} == {"ok"}
