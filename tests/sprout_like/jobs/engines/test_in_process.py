"""Opening an engine in this process."""

from __future__ import annotations

from typing import Any

import pytest

from sprout_like.errors import SettingError
from sprout_like.jobs.engines.continuous import ContinuousEngine
from sprout_like.jobs.engines.in_process import open_in_process
from sprout_like.jobs.engines.padded import PaddedEngine


def test_the_callers_own_model_is_used_and_left_alone(tiny_model: Any, tokenizer: Any, ask: Any, window: Any) -> None:
    engine = open_in_process((tiny_model, tokenizer), name="mine")
    assert type(engine) is PaddedEngine  # on a CPU
    assert engine.devices() == ("cpu",)
    assert engine.model == "mine"
    for _ in range(2):
        assert engine.run([ask("Hi")], window).answers[0].text is not None
        engine.close()


def test_a_kind_can_be_asked_for() -> None:
    assert type(open_in_process("folder", kind="continuous")) is ContinuousEngine
    assert open_in_process("folder", kind="padded").model == "folder"
    assert open_in_process(None).model == "SmolLM2-135M-Instruct"


def test_what_cannot_be_opened_says_what_to_do() -> None:
    with pytest.raises(SettingError, match="padded"):
        open_in_process("folder", kind="stacked")
    with pytest.raises(SettingError, match="name="):
        open_in_process(lambda: (None, None))
    with pytest.raises(SettingError, match="no_such_folder"):
        open_in_process("/no_such_folder").load()
