"""What every store of answers promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sprout_like.ledger.address import parse_address
from sprout_like.ledger.engine import build_engine
from sprout_like.reuse.answers import AnswerStore
from sprout_like.reuse.ledger_answers import LedgerAnswers
from sprout_like.reuse.memory_answers import MemoryAnswers
from sprout_like.testing import ManualClock

Open = Callable[..., AnswerStore]


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opened: list[AnswerStore] = []
    spec = request.getfixturevalue("postgres_url") if request.param == "postgresql" else tmp_path / "ledger.sqlite"

    def make(most_entries: int = 10, most_bytes: int = 1000) -> AnswerStore:
        if request.param == "memory":
            store: AnswerStore = MemoryAnswers(most_entries=most_entries, most_bytes=most_bytes)
        else:
            engine = build_engine(parse_address(spec))
            store = LedgerAnswers(engine, most_entries=most_entries, most_bytes=most_bytes, clock=ManualClock())
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


def test_gives_back_what_was_put_and_nothing_else(open_store: Open) -> None:
    store = open_store()
    store.put("a", "[1]")

    assert store.get("a") == "[1]"
    assert store.get("b") is None


def test_the_last_content_of_a_key_counts(open_store: Open) -> None:
    store = open_store(most_bytes=8)
    for content in ("[11111]", "[2]", "[3]"):
        store.put("a", content)
    store.put("b", "[4444]"[:5])

    assert store.get("a") == "[3]"
    assert store.get("b") == "[4444"


def test_the_longest_unused_goes_first(open_store: Open) -> None:
    store = open_store(most_entries=2)
    store.put("a", "[1]")
    store.put("b", "[2]")
    store.get("a")
    store.put("c", "[3]")

    assert [store.get(key) for key in "abc"] == ["[1]", None, "[3]"]


def test_bytes_are_bounded_too(open_store: Open) -> None:
    store = open_store(most_bytes=7)
    for key in "abc":
        store.put(key, "[1]")
    store.put("d", "[1,2,3,4]")

    assert [store.get(key) for key in "abcd"] == [None, "[1]", "[1]", None]


def test_takes_many_threads(open_store: Open) -> None:
    store = open_store(most_entries=50, most_bytes=10_000)

    def use(number: int) -> str | None:
        key = str(number % 20)
        store.put(key, f"[{key}]")
        store.tick()
        return store.get(key)

    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(use, range(200)))
    assert got == [f"[{number % 20}]" for number in range(200)]


def test_closing_twice_is_safe(open_store: Open) -> None:
    store = open_store()
    store.put("a", "[1]")
    store.close()
    store.close()
