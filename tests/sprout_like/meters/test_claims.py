"""How what one counter counts is divided among processes: the rule itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sprout_like.meters.claims import Claim, Claims, Due, Open, Part, settle
from sprout_like.meters.meter import ProcessUse

NOTHING_TOLD = ProcessUse()


class Desk:
    """The claims of sessions a, b, … of processes 1, 2, … on one device."""

    def __init__(self, *active: str) -> None:
        self.raw_j = 1000.0
        self.now_s = 100.0
        self.claims = Claims(counter_id="c")
        self.gone: set[str] = set()
        for session in active or "ab":
            self.look(session)
            self.claims.by_session[session].active_since_s = self.now_s if active else None

    def look(self, session: str, joules: float = 0.0, use: ProcessUse = NOTHING_TOLD, seconds: float = 10.0) -> Part:
        self.raw_j += joules
        self.now_s += seconds
        claim = Claim(pid=ord(session) - ord("a") + 1, born=1, from_j=self.claims.counter_j)
        part = settle(self.claims, session, claim, raw_j=self.raw_j, use=use, now_s=self.now_s, gone=self.gone)
        self.gone.clear()
        return part


def told(**busy: float) -> ProcessUse:
    """What the driver tells of a, b, … and z, who is no session's."""
    return ProcessUse(busy={ord(name) - ord("a") + 1: share for name, share in busy.items()})


def test_without_a_window_it_is_idle_once_and_whoever_looks_books_it() -> None:
    desk = Desk()
    first, second = desk.look("b", 7), desk.look("a", 5)
    assert (first.idle_j, second.idle_j) == (7, 5)
    assert first.windows == second.windows == Due()


def test_the_only_one_active_gets_all_and_it_is_not_a_share() -> None:
    desk = Desk("a")
    desk.look("b", 7)
    part = desk.look("a", 5)
    assert part.windows == Due(energy_j=12)
    assert part.idle_j == 0


def test_where_nobody_tells_the_active_share_equally_and_the_error_says_that_it_may_be_otherwise() -> None:
    desk = Desk("a", "b", "c")
    part = desk.look("a", 30)
    assert part.windows == Due(energy_j=10, error_j=20, shared=True)
    assert desk.look("b").windows == desk.look("c").windows == part.windows


def test_the_driver_s_figures_are_the_shares() -> None:
    desk = Desk("a", "b")
    part = desk.look("a", 100, told(a=0.6, b=0.2))
    assert part.windows == Due(energy_j=75, error_j=15, shared=True)
    assert desk.look("b", 0, told(a=0.6, b=0.2)).windows == Due(energy_j=25, error_j=5, shared=True)


def test_what_a_stranger_drew_is_not_ours() -> None:
    desk = Desk("a")
    part = desk.look("a", 100, told(a=0.6, z=0.2))
    assert (part.windows.energy_j, part.elsewhere_j, part.windows.shared) == (75, 25, True)
    assert part.company


def test_a_stranger_at_work_while_we_are_not_draws_all() -> None:
    part = Desk().look("a", 100, told(z=0.1))
    assert (part.elsewhere_j, part.idle_j) == (100, 0)


def test_our_own_process_without_a_window_is_no_stranger() -> None:
    desk = Desk("a")
    desk.look("b")
    assert desk.look("a", 100, told(a=0.5, b=0.5)).windows.energy_j == 100


def test_who_is_active_and_was_not_busy_drew_nothing() -> None:
    desk = Desk("a", "b")
    assert desk.look("a", 100, told(a=0.5)).windows.energy_j == 100
    assert desk.look("b", 0, told(a=0.5)).windows.energy_j == 0


def test_who_came_after_the_driver_looked_counts_like_the_others() -> None:
    desk = Desk("a", "b")
    desk.claims.by_session["b"].active_since_s = desk.now_s
    assert desk.look("b", 100, told(a=0.5), seconds=0.9).windows.energy_j == 50


def test_nobody_busy_and_somebody_active_is_shared_equally() -> None:
    assert Desk("a", "b").look("a", 100, told()).windows.energy_j == 50


def test_two_sessions_of_one_process_share_what_the_driver_tells_of_it() -> None:
    desk = Desk("a", "b")
    desk.claims.by_session["c"] = Claim(pid=1, born=1, active_since_s=0.0)
    desk.look("a", 90, told(a=0.4, b=0.5))
    assert [desk.look(s, 0, told(a=0.4, b=0.5)).windows.energy_j for s in "bc"] == pytest.approx([50, 20])


@pytest.mark.parametrize(("processes_n", "estimated"), [(None, False), (1, False), (2, True)])
def test_where_strangers_are_only_counted_it_is_an_estimate(processes_n: int | None, estimated: bool) -> None:
    windows = Desk("a").look("a", 50, ProcessUse(processes_n=processes_n)).windows
    assert (windows.energy_j, windows.error_j, windows.estimated) == (50, 50 if estimated else 0, estimated)


def test_what_the_dead_leave_is_nobody_s_row() -> None:
    desk = Desk("a", "b")
    desk.claims.by_session["b"].open = Open(elsewhere_j=3, overhead_j=4, idle_j=5)
    desk.claims.by_session["b"].from_j = -12.0
    desk.gone = {"b"}
    part = desk.look("a", 100)
    assert part.windows.energy_j == 50, "it was alive for some of the time"
    assert (part.elsewhere_j, part.overhead_j, part.idle_j, part.from_j) == (3, 54, 5, -12)
    assert desk.look("a", 10).windows.energy_j == 10
    assert set(desk.claims.by_session) == {"a"}


def test_what_was_drawn_while_nobody_was_there_is_in_no_account() -> None:
    desk = Desk("a", "b")
    desk.claims.by_session["a"].open = Open(elsewhere_j=3)
    desk.gone = {"a", "b"}
    part = desk.look("c", 100)
    assert part.windows.energy_j == part.elsewhere_j == part.overhead_j == part.idle_j == 0
    assert desk.look("c", 7).idle_j == 7


def test_a_counter_that_falls_voids_everybody_s_windows() -> None:
    desk = Desk("a", "b")
    desk.raw_j = 0.0
    part = desk.look("a", 5)
    assert part.windows.void
    assert part.windows.energy_j == 0
    assert part.to_j == part.from_j
    assert desk.look("b").windows.void
    assert not desk.look("b", 8).windows.void


energies = st.floats(0, 1e6)
busy = st.dictionaries(st.integers(1, 6), st.floats(0.01, 1), max_size=4)
uses = st.builds(ProcessUse, busy=busy) | st.builds(ProcessUse, processes_n=st.none() | st.integers(0, 6))


@given(st.lists(st.tuples(st.sampled_from("abcd"), energies, st.booleans(), st.sets(st.sampled_from("abcd")), uses)))
def test_every_joule_is_in_one_part(looks: list[tuple[str, float, bool, set[str], ProcessUse]]) -> None:
    desk = Desk("a")
    counted_j = desk.claims.counter_j
    given_j = 0.0
    for session, joules, active, gone, use in looks:
        survivors = desk.claims.by_session.keys() - gone - {session}
        desk.gone = gone - {session} if survivors or session in desk.claims.by_session else set()
        part = desk.look(session, joules, use)
        desk.claims.by_session[session].active_since_s = desk.now_s if active else None
        assert min(part.windows.energy_j, part.elsewhere_j, part.overhead_j, part.idle_j) >= 0
        given_j += part.windows.energy_j + part.elsewhere_j + part.overhead_j + part.idle_j
    owed_j = sum(claim.due.energy_j for claim in desk.claims.by_session.values())
    assert given_j + owed_j == pytest.approx(desk.claims.counter_j - counted_j)
