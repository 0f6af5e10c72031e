"""What is reused, served through the middleware: the rows say so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sprout_like import CarbonAware, SettingError, Settings
from sprout_like.ledger.testing import MemoryLedger

pytestmark = pytest.mark.model

CATALOGUE = """
[directive.kept]
reuse = { answers = true, prefix = true }
"""


def settings(folder: Path, **given: Any) -> Settings:
    (folder / "catalogue.toml").write_text(CATALOGUE)
    return Settings.load(catalogue=folder / "catalogue.toml", spool=folder / "spool.sqlite", **given)


@pytest.mark.parametrize("cache", ["memory", "ledger"])
def test_a_kept_answer_takes_no_energy_and_says_so(
    make_tiny: Callable[..., Any], tokenizer: Any, tmp_path: Path, cache: str
) -> None:
    rows = []
    for _ in range(2):
        ledger = tmp_path / "ledger.sqlite"
        parts = {"settings": settings(tmp_path, answer_cache=cache), "ledger": ledger, "policy": "kept"}
        with CarbonAware(make_tiny("llama"), tokenizer, grid=250.0, meter="none", **parts) as aware:
            rows += [aware.chat("Why?", max_new_tokens=6).record for _ in range(2)]
    outlives = cache == "ledger"
    assert [row.reuse == "answer" for row in rows] == [False, True, outlives, True]
    hit = rows[1]
    assert hit.energy_j == hit.operational_g == 0
    assert (hit.reused_tokens, hit.new_tokens) == (hit.prompt_tokens, rows[0].new_tokens)


def test_a_reused_beginning_is_in_the_row(make_tiny: Callable[..., Any], tokenizer: Any, tmp_path: Path) -> None:
    ledger = MemoryLedger()
    parts = {"settings": settings(tmp_path, answer_cache="memory"), "ledger": ledger, "policy": "kept"}
    with CarbonAware(make_tiny("llama"), tokenizer, grid=250.0, meter="none", **parts) as aware:
        for question in ("Why?", "Who?"):
            system = {"role": "system", "content": "Speak of the sea. " * 20}
            aware.chat([system, {"role": "user", "content": question}], max_new_tokens=3)
    first, second = ledger.requests
    assert (first.reuse, first.reused_tokens) == (None, 0)
    assert second.reuse == "prefix"
    assert 100 < second.reused_tokens < second.prompt_tokens


def test_a_ledger_of_ones_own_has_no_room_for_answers(make_tiny: Callable[..., Any], tmp_path: Path) -> None:
    parts = {"settings": settings(tmp_path, answer_cache="ledger"), "policy": "kept"}
    with pytest.raises(SettingError, match=r"^answer_cache: .*memory"):
        CarbonAware(make_tiny("llama"), grid=250.0, ledger=MemoryLedger(), **parts)


def test_reading_the_weights_is_nobodys_request(make_tiny: Callable[..., Any], tokenizer: Any, tmp_path: Path) -> None:
    parts = {"settings": settings(tmp_path, answer_cache="memory"), "ledger": MemoryLedger(), "policy": "kept"}
    with CarbonAware(make_tiny("llama"), tokenizer, grid=250.0, meter="none", **parts) as aware:
        first, second = (aware.chat(text, max_new_tokens=3).record for text in ("Why?", "Who?"))
    assert (first.prepare_s or 0) > 0
    assert second.prepare_s == 0
