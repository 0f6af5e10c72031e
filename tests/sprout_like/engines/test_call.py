"""What is asked about a call is found out once, and never for another call."""

from __future__ import annotations

import dataclasses

import pytest

from sprout_like.engines.engine import Call


class Asked:
    """A question that counts how often it is answered."""

    def __init__(self) -> None:
        self.times = 0

    def limit(self, call: Call) -> int | None:
        self.times += 1
        return call.limit_tokens


@pytest.mark.parametrize("limit", [None, 7])
def test_a_question_is_answered_once(limit: int | None) -> None:
    call, asked = Call(limit_tokens=limit), Asked()
    assert [call.once(asked.limit) for _ in range(3)] == [limit] * 3
    assert asked.times == 1


def test_questions_of_different_objects_are_different_ones() -> None:
    call, one, other = Call(), Asked(), Asked()
    call.once(one.limit)
    call.once(other.limit)
    assert (one.times, other.times) == (1, 1)


def test_of_another_call_nothing_is_known_however_alike_it_is() -> None:
    call, asked = Call(limit_tokens=1), Asked()
    call.once(asked.limit)
    assert dataclasses.replace(call, limit_tokens=2).once(asked.limit) == 2
    assert Call(limit_tokens=1).once(asked.limit) == 1
    assert call.once(asked.limit) == 1
    assert asked.times == 3


def test_what_could_not_be_answered_is_asked_again() -> None:
    call, asked = Call(), Asked()

    def fails_at_first(call: Call) -> int | None:
        if asked.limit(call) is None and asked.times == 1:
            raise OSError
        return 5

    with pytest.raises(OSError):
        call.once(fails_at_first)
    assert call.once(fails_at_first) == 5


def test_what_was_asked_makes_no_difference_to_what_a_call_is() -> None:
    call = Call(limit_tokens=3)
    call.once(Asked().limit)
    assert call == Call(limit_tokens=3)
    assert repr(call) == repr(Call(limit_tokens=3))
