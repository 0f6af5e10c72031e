"""Counting what a generation produced: tokens up to the first end token, and why each row ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sprout_like.engines.engine import RowEnder

__all__ = ["cut_at_end", "finish_reason"]


def cut_at_end(row: Sequence[int], end_ids: Collection[int], pad_id: int | None = None) -> Sequence[int]:
    """The row up to and with its first end token, without the padding of a row that a criterion ended earlier.

    Where padding equals the end token, one of it stays: it cannot be told from an end that was generated.
    """
    for index, token in enumerate(row):
        if token in end_ids:
            return row[: index + 1]
    length = len(row)
    while length and row[length - 1] == pad_id:
        length -= 1
    return row[:length]


def finish_reason(
    rows: Sequence[Sequence[int]],
    end_ids: Collection[int],
    limit_tokens: int | None,
    ender: RowEnder | None = None,
) -> str | None:
    """Why generation ended: `eos`, `length`, `stop` (a stop string, a criterion, a time limit) or the ender's reason.

    Args:
        rows: new tokens per row, cut at the first end token.
        end_ids: the end tokens.
        limit_tokens: limit per row; None where unknown, which cannot tell `length` from `stop`.
        ender: what may have ended rows for a reason of its own; None where nothing could.

    Returns:
        The reasons of all rows, each once, sorted and joined by `+`; None without rows or where it cannot be told.
    """
    reasons = set()
    for index, row in enumerate(rows):
        if ender is not None and index in ender.rows:
            reasons.add(ender.reason)
        elif row and row[-1] in end_ids:
            reasons.add("eos")
        elif limit_tokens is None:
            return None
        else:
            reasons.add("length" if len(row) >= limit_tokens else "stop")
    return "+".join(sorted(reasons)) or None
