"""Stop strings, which need the tokenizer, in batches of a model in this process."""

from __future__ import annotations

from typing import Any

import pytest

from directives import FULL
from sprout_like.jobs.engines.continuous import ContinuousEngine
from sprout_like.jobs.engines.engine import Ask
from sprout_like.jobs.engines.padded import PaddedEngine

ENGINES = pytest.mark.parametrize("kind", [PaddedEngine, ContinuousEngine])


@ENGINES
def test_stop_strings_end_a_row_as_they_end_a_prompt_alone(
    kind: Any, make_tiny: Any, tokenizer: Any, ask: Any, alone: Any, window: Any
) -> None:
    model = make_tiny("llama")
    whole = alone(model, ask("Hi", 20))
    stops = [whole[len(whole) // 3 :][:3]]
    plain, other = ask("Hi", 20, stop_strings=stops), ask("Ho", 4)
    wanted = alone(
        model, Ask(messages=plain.messages, arguments={**plain.arguments, "tokenizer": tokenizer}, directive=FULL)
    )
    answer, beside = kind(lambda: (model, tokenizer), model="tiny").run([plain, other], window).answers
    assert (answer.error, answer.text, answer.finish_reason) == (None, wanted, "stop")
    assert answer.new_tokens < 20
    assert beside.text == alone(model, other)


@ENGINES
def test_stop_strings_of_the_checkpoint_end_a_row(
    kind: Any, make_tiny: Any, tokenizer: Any, ask: Any, alone: Any, window: Any
) -> None:
    model = make_tiny("llama")
    whole = alone(model, ask("Hi", 20))
    model.generation_config.stop_strings = [whole[len(whole) // 3 :][:3]]
    (answer,) = kind(lambda: (model, tokenizer), model="tiny").run([ask("Hi", 20)], window).answers
    assert answer.error is None
    assert answer.finish_reason == "stop"
