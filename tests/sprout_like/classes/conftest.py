"""Classes that tell questions about songs from sums, and a file of them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from directives.classes import Classes, to_json, train

_WORDS = {
    "sums": "add apples dollars total half each twice sells weeks left minus much",
    "songs": "singer album band released guitar melody chorus lyrics record tour sang",
    "other": "hello thanks bye please ok sorry morning welcome cheers nice evening",
}


@pytest.fixture(scope="session")
def labelled() -> list[tuple[str, str]]:
    """Forty texts of each class."""
    rng = Random(1)
    return [(" ".join(rng.choices(words.split(), k=6)), label) for label, words in _WORDS.items() for _ in range(40)]


@pytest.fixture(scope="session")
def learnt(labelled: list[tuple[str, str]]) -> Classes:
    """Classes learnt from them."""
    return train(labelled)


@pytest.fixture
def classes_file(learnt: Classes, tmp_path: Path) -> Path:
    """A file of them."""
    file = tmp_path / "classes.json"
    file.write_text(to_json(learnt), "utf-8")
    return file
