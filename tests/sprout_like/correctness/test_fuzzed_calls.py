"""Any plain call under any directive: the caller's own prompt comes back, limits hold, and the row is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.model

NAMES = [
    "full",
    "ask",
    "cap",
    "ask_cap",
    "var",
    "half",
    "skip",
    "sure",
    "exit",
    "loop",
    "half_loop",
    "exit_loop",
    "look",
    "help",
    "self",
    "half_look",
    "flat",
    "fp8",
    "kept",
    "pre",
    "ask_cap_half_look_kept",
    "cap_var_help",
    "ask_cap_loop_flat_kept",
]
LOSSLESS = {"full", "sure", "look", "help", "self", "flat", "kept", "pre"}
BUDGET = 9
PAD = 0


@dataclass(frozen=True)
class Fuzzed:
    directive: str
    rows: list[list[int]]
    chats: bool
    limit: int
    least: int
    end_after: int | None


fuzzed = st.builds(
    Fuzzed,
    directive=st.sampled_from(NAMES),
    rows=st.lists(st.lists(st.integers(40, 49000), min_size=1, max_size=40), min_size=1, max_size=3),
    chats=st.booleans(),
    limit=st.integers(1, 18),
    least=st.integers(0, 6),
    end_after=st.none() | st.integers(0, 17),
)


@pytest.fixture(scope="module")
def served(serve: Any, varied: Any, twin_of: Any) -> Any:
    model = varied("llama")
    return serve(model, [name for name in NAMES if name != "full"], other=twin_of(twin_of(model)))


@pytest.fixture(scope="module")
def opening(prompt: Any) -> tuple[list[int], list[int]]:
    """The tokens of a chat around its question."""
    ids = prompt("QQQ")["input_ids"][0].tolist()
    middle = prompt("")["input_ids"][0].tolist()
    same = next(i for i, (a, b) in enumerate(zip(ids, middle, strict=False)) if a != b)
    return middle[:same], middle[same:]


def batch(case: Fuzzed, opening: tuple[list[int], list[int]]) -> dict[str, torch.Tensor]:
    """The rows, as chats or as they are, padded on the left."""
    before, after = opening
    rows = [[*before, *row, *after] for row in case.rows] if case.chats else case.rows
    width = max(map(len, rows))
    return {
        "input_ids": torch.tensor([[PAD] * (width - len(row)) + row for row in rows]),
        "attention_mask": torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows]),
    }


def answers(rows: list[list[int]], length: int, end: int | None) -> list[list[int]]:
    """New tokens of each row, up to and with its first end token."""
    found = []
    for row in rows:
        new = row[length:]
        found.append(new[: new.index(end) + 1] if end in new else new)
    return found


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(case=fuzzed)
def test_any_call(served: Any, opening: tuple[list[int], list[int]], case: Fuzzed) -> None:
    inputs = batch(case, opening)
    length = inputs["input_ids"].shape[1]
    call = {
        **inputs,
        "max_new_tokens": case.limit,
        "min_new_tokens": min(case.least, case.limit),
        "do_sample": False,
        "pad_token_id": PAD,
    }
    end = None
    if case.end_after is not None:  # an end token that this very model says
        said = served.bare(**call, eos_token_id=None)[0][length:]
        end = said[min(case.end_after, len(said) - 1)]
    call["eos_token_id"] = end

    rows_before = len(served.ledger.requests)
    output = served.aware.using(policy=case.directive).generate(**call)

    record = served.ledger.requests[-1]
    assert len(served.ledger.requests) == rows_before + 1
    assert record.status == "ok"
    assert record.directive in {case.directive, "full"}
    assert torch.equal(output[:, :length], inputs["input_ids"])
    rows = answers(output.tolist(), length, end)
    _assert_told(record, rows, case, end)
    if record.directive in LOSSLESS:
        assert output.tolist() == served.bare(**call)
    single = len(case.rows) == 1
    if single and case.chats and case.limit > 1:
        assert record.directive == case.directive, record.decision_reason


def _assert_told(record: Any, rows: list[list[int]], case: Fuzzed, end: int | None) -> None:
    knobs = set(record.directive.split("_"))
    limit = min(case.limit, max(BUDGET, min(case.least, case.limit))) if "cap" in knobs else case.limit
    reasons = set(record.finish_reason.split("+"))
    loops = "repetition" in reasons
    assert record.limit_tokens == limit
    assert all(len(row) <= limit for row in rows)
    if loops:  # its rows are padded, where others go on
        assert "loop" in knobs
        assert record.new_tokens <= sum(map(len, rows))
        return
    assert record.new_tokens == sum(map(len, rows))
    assert all(len(row) >= min(case.least, limit) for row in rows)
    assert reasons == {"eos" if end is not None and row[-1] == end else "length" for row in rows}
    assert all(len(row) == limit for row in rows if end is None or row[-1] != end)
