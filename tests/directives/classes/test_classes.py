"""Learning to tell texts apart, and being asked about texts that nobody thought of."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directives import PolicyError
from directives.classes import (
    MIN_PER_CLASS,
    OTHER,
    Classes,
    from_json,
    glimpse,
    to_json,
    train,
    train_and_place,
)
from directives.classes.features import HEAD_CHARS, SHAPES, TAIL_CHARS, features_of

WORDS = {
    "sums": "add apples dollars total half each twice sells weeks left minus much",
    "songs": "singer album band released guitar melody chorus lyrics record tour sang her",
    OTHER: "hello thanks bye please ok sorry morning welcome cheers nice evening yes",
}


def texts(rng: Random, per_class: int, *, blurred: float = 0.0) -> list[tuple[str, str]]:
    """Sentences of a class' own words; a share of them of another's."""
    pairs = []
    for label in WORDS:
        for _ in range(per_class):
            about = rng.choice(list(WORDS)) if rng.random() < blurred else label
            pairs.append((" ".join(rng.choices(WORDS[about].split(), k=6)), label))
    return pairs


LABELLED = texts(Random(1), 40)
CLASSES = train(LABELLED)


def test_what_is_learnt_holds_for_new_texts() -> None:
    fresh = texts(Random(2), 30)
    expected = [None if label == OTHER else label for _, label in fresh]
    right = sum(got == want for got, want in zip(CLASSES.classify_many(t for t, _ in fresh), expected, strict=True))
    assert right >= 0.97 * len(fresh)
    assert CLASSES.held_out.accuracy >= 0.97
    assert CLASSES.held_out.n == len(set(LABELLED))


def test_probabilities_are_as_often_right_as_they_say() -> None:
    blurred = train(texts(Random(3), 60, blurred=0.3))
    fresh = texts(Random(4), 300, blurred=0.3)
    likeliest = [max(blurred.probabilities(text).items(), key=lambda each: each[1]) for text, _ in fresh]
    right = sum(label == true for (label, _), (_, true) in zip(likeliest, fresh, strict=True)) / len(fresh)
    said = math.fsum(probability for _, probability in likeliest) / len(fresh)
    assert 0.7 < right < 0.9
    assert said == pytest.approx(right, abs=0.05)


def test_a_class_is_inferred_where_it_is_likely_enough() -> None:
    picky = train(texts(Random(3), 60, blurred=0.3), threshold=0.7)
    sure = 0
    for first, second in zip(WORDS["sums"].split(), WORDS["songs"].split(), strict=True):
        for text in (first, second, f"{first} {second}"):
            label, highest = max(picky.probabilities(text).items(), key=lambda each: each[1])
            assert picky.classify(text) == (label if highest >= 0.7 and label != OTHER else None)
            sure += highest >= 0.7
    assert 0 < sure < 3 * len(WORDS["sums"].split())


def test_texts_that_are_all_right_make_nothing_certain() -> None:
    assert CLASSES.held_out.accuracy == 1
    assert all(max(CLASSES.probabilities(text).values()) < 0.9999 for text, _ in LABELLED)


@pytest.mark.parametrize("text", ["", "  \t "])
def test_a_text_without_a_word_has_no_class(text: str) -> None:
    never_unsure = train(LABELLED, threshold=0.0)
    assert never_unsure.classify(text) is None
    assert sum(never_unsure.probabilities(text).values()) == pytest.approx(1)


@given(st.text() | st.text(alphabet=st.characters(categories=["Cs", "Nd", "No", "Lo"])))
def test_any_text_has_columns_and_probabilities(text: str) -> None:
    shapes, words = features_of(text, 100)
    assert all(0 <= column < SHAPES for column in shapes)
    assert all(SHAPES <= column < 100 for column in words)
    assert len(set(words)) == len(words)
    assert sum(CLASSES.probabilities(text).values()) == pytest.approx(1)
    assert CLASSES.classify(text) in (None, "sums", "songs")


@given(st.text(max_size=2000))
def test_a_glimpse_is_bounded_and_shows_nothing_else_the_second_time(text: str) -> None:
    assert len(glimpse(text)) <= HEAD_CHARS + 1 + TAIL_CHARS
    assert glimpse(glimpse(text)) == glimpse(text)


@pytest.mark.parametrize("unit", ["lorem ipsum ", "田中さん", "?!", "שלום עולם ", "1234567890", "\ud800"])
def test_of_a_huge_text_only_the_ends_are_looked_at(unit: str) -> None:
    huge = unit * (10_000_000 // len(unit))
    shapes, words = features_of(huge, 4096)
    assert len(shapes) + len(words) <= 2 * 256 + SHAPES
    middle = len(huge) // 2
    assert features_of(huge[:middle] + " unseen words here " + huge[middle:], 4096) == (shapes, words)


def test_texts_of_scripts_without_spaces_and_from_right_to_left_are_told_apart() -> None:
    rng = Random(5)
    about = {"weather": ("天気雨雪晴", "גשם שלג שמש"), "food": ("寿司米魚肉", "לחם מלח אורז")}
    pairs = [
        (text, label)
        for label, (ideographs, words) in about.items()
        for _ in range(30)
        for text in ("".join(rng.choices(ideographs, k=8)), " ".join(rng.choices(words.split(), k=6)))
    ]
    learnt = train(pairs)
    assert learnt.held_out.accuracy > 0.95
    assert (learnt.classify("雨雪雨晴"), learnt.classify("אורז לחם")) == ("weather", "food")


def test_the_same_data_and_seed_give_the_same_classes_in_any_process() -> None:
    assert train(LABELLED) == CLASSES
    script = (
        "import json, sys; from directives.classes import to_json, train\n"
        "sys.stdout.write(to_json(train(map(tuple, json.load(sys.stdin)))))"
    )
    other = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(LABELLED),
        env={**os.environ, "PYTHONHASHSEED": "77"},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout == to_json(CLASSES)


def test_a_text_given_twice_is_never_both_learnt_from_and_held_out() -> None:
    rng = Random(6)
    # Labels that say nothing about the text: who finds them out on held-out texts has seen these.
    lines = ["".join(rng.choices("abcdefghij ", k=40)) for _ in range(120)]
    pairs = [(line, rng.choice(["a", "b"])) for line in lines]
    held_out = train(pairs * 3).held_out
    assert held_out.n == 120
    assert held_out.accuracy < 0.7


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        ([], "0 texts have 0"),
        ([(f"text {n}", "only") for n in range(50)], "50 texts have 1"),
        ([(f"text {n}", f"class {n}") for n in range(100)], "100 texts have 100"),
        (LABELLED + [("a song", "rare")] * 99, f"'rare' has 1.*at least {MIN_PER_CLASS}"),
        ([*LABELLED, ("a song", "")], "a label is empty"),
    ],
)
def test_too_little_to_learn_from(pairs: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(PolicyError, match=says) as refused:
        train(pairs)
    assert "a song" not in str(refused.value)


def test_a_class_of_the_least_size_is_learnt() -> None:
    rng = Random(7)
    pairs = list(dict.fromkeys(texts(rng, 2 * MIN_PER_CLASS)))
    least = [pair for label in WORDS for pair in [p for p in pairs if p[1] == label][:MIN_PER_CLASS]]
    assert train(least).held_out.n == MIN_PER_CLASS * len(WORDS)


def test_the_file_gives_the_classes_back_and_is_small() -> None:
    assert from_json(to_json(CLASSES), origin="f") == CLASSES
    rng = Random(8)
    many = train([(f"{label} {rng.random()}", f"class {label}") for label in range(64) for _ in range(25)])
    assert len(to_json(many)) < 200_000


def test_no_text_is_in_the_file_or_in_a_repr() -> None:
    shown = to_json(CLASSES) + repr(CLASSES) + str(CLASSES.held_out)
    assert not any(word in shown for words in WORDS.values() for word in words.split() if len(word) > 5)


def damaged(**changes: Any) -> str:
    document = json.loads(to_json(CLASSES))
    document.update(changes)
    return json.dumps({key: value for key, value in document.items() if value is not None})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no classifier"),
        ("[]", "no classifier"),
        ("[" * 100_000, "no classifier"),
        ('{"prompt": "x"}', "no classifier"),
        (damaged(format=2), "another release"),
        (damaged(features=0), "another release"),
        (damaged(weights="AAAA"), "no whole table"),
        (damaged(weights="§"), "damaged"),
        (damaged(weights=None), "damaged"),
        (damaged(labels=["a", "a", "b"]), "all different"),
        (damaged(labels=["a", "b"]), "does not fit the labels"),
        (damaged(bias=[math.nan, 0, 0]), "finite"),
        (damaged(threshold=2), r"\[0, 1\]"),
        (damaged(scales="much"), r"damaged;"),
        (damaged(scales=[1e300] * 3), "no larger than"),
        (damaged(bias=[1e300] * 3), "no larger than"),
        (damaged(labels=[1, 2, 3]), "no texts"),
        (damaged(labels=["", "b", "c"]), "no texts"),
        (damaged(held_out={"confusion": [[0, 0, 0]] * 3, "sure": 0, "sure_right": 0, "log_loss": 0}), "is empty"),
    ],
)
def test_a_file_that_is_none_says_what_to_do(text: str, says: str) -> None:
    with pytest.raises(PolicyError, match=f"^my.json: .*{says}.*classes train"):
        from_json(text, origin="my.json")


def test_whole_weights_lose_next_to_nothing() -> None:
    rounded = Classes(
        labels=("a", "b"),
        weights=bytes([1, 255] * (SHAPES + 1)),
        scales=(0.5, 0.5),
        bias=(0.0, 0.0),
        threshold=0.5,
        held_out=CLASSES.held_out,
    )
    # Every column says a: 0.5 for a and -0.5 for b, per column of the shape and once over for words.
    shapes, words = features_of("one", SHAPES + 1)
    score = 2 * 0.5 * (len(shapes) + math.sqrt(len(words)))
    assert rounded.probabilities("one")["a"] == pytest.approx(1 / (1 + math.exp(-score)), rel=1e-6)


def test_on_the_requests_that_the_sprout_authors_measured() -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="no pyarrow: pip install 'sprout-like[parquet]'")
    beside = Path(__file__).parents[4] / "shared" / "data"
    file = Path(os.environ.get("SPROUT_SHARED_DATA", beside)) / "sprout" / "requests.parquet"
    if not file.exists():
        pytest.skip(f"no {file}: set SPROUT_SHARED_DATA to the folder of shared data")
    rows = parquet.read_table(file, columns=["prompt", "task"]).to_pylist()
    pairs = [(row["prompt"], row["task"]) for row in rows]
    Random(9).shuffle(pairs)
    learnt = train(pairs[:3600])
    assert learnt.held_out.accuracy >= 0.97
    guessed = learnt.classify_many(text for text, _ in pairs[3600:])
    right = sum(guess == task for guess, (_, task) in zip(guessed, pairs[3600:], strict=True))
    assert right / len(guessed) >= 0.97
    assert right / len(guessed) == pytest.approx(learnt.held_out.accuracy, abs=0.01)


def test_what_was_learnt_from_is_placed_as_it_was_when_held_out() -> None:
    blurred = list(dict.fromkeys(texts(Random(5), 60, blurred=0.3)))
    classes, placed = train_and_place(blurred, threshold=0.0)
    assert classes == train(blurred, threshold=0.0)
    pairs = list(zip((label for _, label in blurred), placed, strict=True))
    for label, row in zip(classes.labels, classes.held_out.confusion, strict=True):
        expected = {None if name == OTHER else name: n for name, n in zip(classes.labels, row, strict=True)}
        assert {name: pairs.count((label, name)) for name in expected} == expected


def test_a_text_without_a_word_is_learnt_from_and_placed_nowhere() -> None:
    assert train_and_place([("", "sums"), *LABELLED])[1][0] is None


def test_a_text_given_twice_is_placed_twice_alike() -> None:
    _, placed = train_and_place([*LABELLED, *LABELLED])
    assert placed[: len(LABELLED)] == placed[len(LABELLED) :]
