"""How alike two answers are, by their text: models with other tokenizers can be compared."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["is_same", "similarity"]


def is_same(answer: str, reference: str) -> bool:
    """Whether the text is the same, white space at either end aside."""
    return answer.strip() == reference.strip()


def similarity(answer: str, reference: str) -> float:
    """ROUGE-L F1 over words, letter case aside: 1 for the same words in the same order, 0 for none in common.

    The longest common subsequence of words, as a share of each text's words, and the harmonic mean of both shares
    (Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", 2004, with beta = 1).
    """
    words, reference_words = answer.lower().split(), reference.lower().split()
    if not words or not reference_words:
        return float(words == reference_words)
    return 2 * _common_length(words, reference_words) / (len(words) + len(reference_words))


def _common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, row by row."""
    above = [0] * (len(other) + 1)
    for word in one:
        row = [0]
        for column, candidate in enumerate(other):
            row.append(above[column] + 1 if word == candidate else max(above[column + 1], row[column]))
        above = row
    return above[-1]
