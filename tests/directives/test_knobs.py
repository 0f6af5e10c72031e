"""The knobs as data: what they accept, which cannot be combined, and what is lossless."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives import (
    Budget,
    Catalogue,
    CatalogueError,
    Confidence,
    Depth,
    Directive,
    Draft,
    EarlyExit,
    KvCache,
    Lookup,
    Repetition,
    Reuse,
    Variant,
)
from directives.knobs import layer_count

DEPTH = EarlyExit(depth=Depth(first=3))
CONFIDENCE = EarlyExit(confidence=Confidence(layer=3, threshold=0.9))
REPETITION = EarlyExit(repetition=Repetition())
LOOKUP = Draft(lookup=Lookup())
SELF = Draft(depth=2)
STATIC = KvCache(kind="static")
PREFIX = Reuse(prefix=True)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("early_exit = {}", "at least one of depth, confidence and repetition"),
        ("early_exit.depth = {}", "one of first and drop"),
        ("early_exit.depth = { first = 2, drop = [1, 2] }", "one of first and drop"),
        ("early_exit.depth = { first = 0 }", "early_exit.depth.first is 0"),
        ("early_exit.depth = { first = 1.0 }", "early_exit.depth.first is 1.0"),
        ("early_exit.depth = { first = true }", "early_exit.depth.first is True"),
        ("early_exit.depth = { drop = [0, 2] }", "early_exit.depth.drop is [0, 2]"),
        ("early_exit.depth = { drop = [3, 3] }", "early_exit.depth.drop is [3, 3]"),
        ("early_exit.depth = { drop = 3 }", "early_exit.depth.drop is 3"),
        ("early_exit.depht = { first = 2 }", "unknown key early_exit.depht; did you mean 'depth'?"),
        ("early_exit.depth = { firts = 2 }", "unknown key early_exit.depth.firts; did you mean 'first'?"),
        ("early_exit.depth = 3", "early_exit.depth must be a table, not 3"),
        ("early_exit.confidence = { layer = 2 }", "early_exit.confidence.threshold is missing"),
        ("early_exit.confidence = { layer = 2, threshold = -1 }", "early_exit.confidence.threshold is -1"),
        ("early_exit.confidence = { layer = 2, threshold = nan }", "early_exit.confidence.threshold is nan"),
        ("early_exit.confidence = { layer = 2, threshold = 1, max_defer = 0 }", "early_exit.confidence.max_defer is 0"),
        ("early_exit.repetition = { times = 1 }", "early_exit.repetition.times is 1"),
        ("draft = {}", "one of lookup, assistant and depth"),
        ("draft = { depth = 2, assistant = 'a' }", "one of lookup, assistant and depth"),
        ("draft = { depth = 2, tokens = 0 }", "draft.tokens is 0"),
        ("draft = { lookup = { ngram = 0 } }", "draft.lookup.ngram is 0"),
        ("draft = { assistant = 3 }", "draft.assistant is 3"),
        ("kv_cache = {}", "kv_cache.kind is missing"),
        ("kv_cache = { kind = 'paged' }", "kv_cache.kind is 'paged'"),
        ("kv_cache = { kind = 'static', bits = 4 }", "belong to kind = 'quantized'"),
        ("kv_cache = { kind = 'quantized', backend = 'zip' }", "kv_cache.backend is 'zip'"),
        ("reuse = {}", "give answers = true or prefix = true"),
        ("reuse = { answers = 1 }", "reuse.answers is 1"),
        ("variant = 'Big Model'", "variant name 'Big Model' is not usable"),
        ("draft = { depth = 2 }\nkv_cache = { kind = 'static' }", "draft and kv_cache cannot be combined"),
    ],
)
def test_a_wrong_value_is_named_by_file_directive_and_key(toml: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(f"[directive.mine]\n{toml}\n")
    with pytest.raises(CatalogueError, match=r"own\.toml, directive 'mine'") as caught:
        Catalogue.load(path)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[variant.a]", "a model, a precision, or both"),
        ("[variant.a]\nprecision = 'int7'", "precision is 'int7'"),
        ("[variant.a]\nmodel = 3", "model is 3"),
        ("[variant.a]\nmodel = 'x'\nidle_s = 0", "idle_s is 0"),
        ("[variant.a]\nmodel = 'x'\nquantise = 'int8'", "unknown key quantise"),
        ("variant = 3", "expected [variant.NAME] tables"),
    ],
)
def test_a_wrong_variant_is_named(toml: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(toml)
    with pytest.raises(CatalogueError, match=r"own\.toml") as caught:
        Catalogue.load(path)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "knobs",
    [
        {"early_exit": CONFIDENCE, "draft": LOOKUP},
        {"early_exit": CONFIDENCE, "kv_cache": STATIC},
        {"early_exit": CONFIDENCE, "reuse": PREFIX},
        {"early_exit": REPETITION, "draft": LOOKUP},
        {"early_exit": DEPTH, "draft": SELF},
        {"draft": LOOKUP, "kv_cache": STATIC},
        {"kv_cache": STATIC, "reuse": PREFIX},
        {"draft": LOOKUP, "reuse": PREFIX},
    ],
)
def test_impossible_combinations_say_why(knobs: dict[str, Any]) -> None:
    with pytest.raises(CatalogueError, match=r"cannot be combined: \w+"):
        Directive(name="both", **knobs)


@pytest.mark.parametrize(
    ("knobs", "lossless"),
    [
        ({}, True),
        ({"draft": LOOKUP, "reuse": Reuse(answers=True)}, True),
        ({"reuse": PREFIX}, True),
        ({"kv_cache": STATIC}, True),
        ({"kv_cache": KvCache(kind="quantized")}, False),
        ({"early_exit": DEPTH, "draft": LOOKUP}, False),
        ({"early_exit": REPETITION}, False),
        ({"early_exit": CONFIDENCE}, False),
        ({"early_exit": EarlyExit(confidence=Confidence(layer=3, threshold=1.01))}, True),
        ({"variant": "tiny", "draft": LOOKUP}, False),
        ({"budget": Budget(max_new_tokens=8)}, False),
        ({"instruction": "Be short."}, False),
    ],
)
def test_what_is_lossless(knobs: dict[str, Any], lossless: bool) -> None:
    assert Directive(name="it", **knobs).lossless is lossless


@given(share=st.floats(0.001, 0.999), layers=st.integers(2, 200))
def test_a_share_of_the_layers_is_never_none_nor_all(share: float, layers: int) -> None:
    count = layer_count(share, layers)
    assert 1 <= count <= layers - 1
    assert abs(count - share * layers) <= 1


def test_a_number_of_layers_is_taken_as_it_is() -> None:
    assert layer_count(40, 30) == 40  # whoever knows the model refuses it


def test_the_builtin_catalogue_offers_at_least_ten_that_all_differ() -> None:
    catalogue = Catalogue.builtin()
    assert len(catalogue) >= 10
    contents = [re.sub(r"name='\w+'", "", repr(directive)) for directive in catalogue]
    assert len(set(contents)) == len(contents)
    assert {name for d in catalogue for _, name in d.variants} <= catalogue.variants.keys()


def test_variants_count_towards_the_version() -> None:
    directive = Directive(name="small", variant="small")
    one = Catalogue.of(directive, variants=[Variant(name="small", model="a")])
    other = Catalogue.of(directive, variants=[Variant(name="small", model="b")])
    assert one.version != other.version
    with pytest.raises(CatalogueError, match="variant 'small' is given twice"):
        Catalogue.of(directive, variants=[Variant(name="small", model="a"), Variant(name="small", model="b")])


DOCUMENT = (Path(__file__).parents[2] / "docs" / "directives.md").read_text("utf-8")


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", DOCUMENT, flags=re.DOTALL))
def test_what_the_document_shows_loads(block: str, tmp_path: Path) -> None:
    path = tmp_path / "shown.toml"
    path.write_text(block)
    catalogue = Catalogue.load(path)
    assert len(catalogue) > 5
    assert {name for d in catalogue for _, name in d.variants} <= catalogue.variants.keys()
