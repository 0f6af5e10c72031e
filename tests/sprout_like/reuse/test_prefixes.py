"""What is kept of beginnings, for how long, and that a continuation leaves it as it is."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import nn
from transformers import DynamicCache

from sprout_like.reuse.prefixes import Prefix, PrefixCache

BYTES_PER_TOKEN = 2 * 4 * 2  # two tensors, four values, two bytes


def prefix(*ids: int) -> Prefix:
    cache = DynamicCache()
    keys = torch.arange(4 * len(ids), dtype=torch.bfloat16).reshape(1, 1, len(ids), 4)
    cache.update(keys, keys.clone(), 0)
    return Prefix(ids, cache)


def room(tokens: int) -> PrefixCache:
    return PrefixCache(most_bytes=tokens * BYTES_PER_TOKEN)


def found(kept: PrefixCache, model: Any, *ids: int, state: int = 1, view: object = None) -> tuple[int, ...] | None:
    found = kept.find(model, state, view, ids)
    return None if found is None else found.ids


def test_the_longest_proper_beginning_is_found() -> None:
    kept, model = room(20), nn.Module()
    for ids in ((1,), (1, 2), (1, 2, 3), (2,)):
        kept.put(model, 1, None, prefix(*ids))
    assert found(kept, model, 1, 2, 4) == (1, 2)
    assert found(kept, model, 1, 2, 3) == (1, 2)  # `generate` needs a token to go on from
    assert found(kept, model, 3, 1, 2) is None


def test_models_states_and_views_do_not_mix() -> None:
    kept, model, other = room(20), nn.Module(), nn.Module()
    kept.put(model, 1, "shallow", prefix(1))
    assert found(kept, other, 1, 2, view="shallow") is None
    assert found(kept, model, 1, 2) is None
    assert found(kept, model, 1, 2, view="shallow") == (1,)
    assert found(kept, model, 1, 2, state=2, view="shallow") is None
    assert found(kept, model, 1, 2, state=1, view="shallow") is None  # gone with the weights that made it


def test_the_longest_unused_goes_first_whatever_model_made_it() -> None:
    kept, model, other = room(4), nn.Module(), nn.Module()
    kept.put(model, 1, None, prefix(1, 1))
    kept.put(other, 2, None, prefix(2, 2))
    found(kept, model, 1, 1, 1)
    kept.put(other, 2, None, prefix(3, 3))
    assert found(kept, model, 1, 1, 1) == (1, 1)
    assert found(kept, other, 2, 2, 2, state=2) is None
    assert found(kept, other, 3, 3, 3, state=2) == (3, 3)


def test_what_is_larger_than_the_room_displaces_nothing() -> None:
    kept, model = room(2), nn.Module()
    kept.put(model, 1, None, prefix(1, 1))
    kept.put(model, 1, None, prefix(2, 2, 2))
    assert found(kept, model, 2, 2, 2, 2) is None
    assert found(kept, model, 1, 1, 1) == (1, 1)


def test_the_memory_of_a_model_that_is_gone_is_free_again() -> None:
    kept, model, other = room(2), nn.Module(), nn.Module()
    kept.put(model, 1, None, prefix(1, 1))
    gone = weakref.ref(kept.find(model, 1, None, (1, 1, 1)).cache)
    del model
    gc.collect()
    assert gone() is None
    kept.put(other, 2, None, prefix(2, 2))
    assert found(kept, other, 2, 2, 2, state=2) == (2, 2)


def test_a_continuation_leaves_the_beginning_as_it_is() -> None:
    whole = prefix(1, 2, 3)
    layer = whole.cache.layers[0]
    before, address = layer.keys.clone(), layer.keys.data_ptr()
    cache = whole.going_on()
    assert cache.layers[0].keys.data_ptr() == address  # shared, not copied
    cache.update(torch.ones(1, 1, 2, 4, dtype=torch.bfloat16), torch.ones(1, 1, 2, 4, dtype=torch.bfloat16), 0)
    cache.crop(-4)
    assert whole.cache.get_seq_length() == 3
    assert torch.equal(whole.cache.layers[0].keys, before)
    assert whole.cache.layers[0].keys.data_ptr() == address


@pytest.mark.parametrize(("prompt", "shared"), [((1, 2, 3), 3), ((1, 2, 4), 2), ((1, 2, 3, 4), 3), ((5,), 0)])
def test_what_recent_prompts_begin_alike_with(prompt: tuple[int, ...], shared: int) -> None:
    kept = room(2)
    kept.shared_with_recent((1, 2, 3))
    assert kept.shared_with_recent(prompt) == shared


def test_only_the_last_few_prompts_are_remembered() -> None:
    kept = room(2)
    for first in range(20):
        kept.shared_with_recent((first, 7))
    assert kept.shared_with_recent((0, 7)) == 0


def test_what_is_cleared_is_neither_found_nor_remembered() -> None:
    kept, model = room(2), nn.Module()
    kept.put(model, 1, None, prefix(1, 1))
    kept.shared_with_recent((1, 2, 3))
    kept.clear()
    assert found(kept, model, 1, 1, 1) is None
    assert kept.shared_with_recent((1, 2, 3)) == 0


def test_neither_repr_shows_a_token() -> None:
    kept, model = room(2), nn.Module()
    kept.put(model, 1, None, prefix(77, 78))
    assert "77" not in repr(prefix(77, 78))
    assert "77" not in repr(vars(kept)) + repr(list(kept._of_model.values()))
