"""Models to be drafted for and to keep caches of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.sprout_like.knobs.calling import SIZE


@pytest.fixture
def make(make_tiny: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a tiny model of a family, of few tokens, that never ends an answer by itself."""

    def make(family: str, **changes: Any) -> Any:
        model = make_tiny(family, **{"vocab_size": SIZE, **changes})
        model.generation_config.eos_token_id = None
        return model

    return make
