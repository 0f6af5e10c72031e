"""From generation to intensities: which hours count, and how old the newest may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData, EiaSource, EntsoeSource, NoData, Series, SourceDown, SourceSpecError
from grid.fuels import Fuel
from grid.sources.generation import FedIn, GenerationMix, figure
from grid.testing import NOON, ManualClock

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MISSED_FOR = timedelta(days=20)
COAL, WIND = 820.0, 11.0
Ask = Callable[[str, datetime, datetime], Iterable[FedIn]]


class Plants:
    """Answers with the rows that lie in the span, and remembers the spans."""

    def __init__(self, *rows: FedIn) -> None:
        self.rows = rows
        self.spans: list[tuple[datetime, datetime]] = []

    def __call__(self, zone: str, start_utc: datetime, end_utc: datetime) -> list[FedIn]:
        self.spans.append((start_utc, end_utc))
        rows = [row for row in self.rows if start_utc <= row.start_utc < end_utc]
        if not rows:
            raise NoData("test: nothing there")
        return rows


def row(plants: str, hours_ago: int, mw: float | None, fuel: Fuel | None = None) -> FedIn:
    fuels: dict[str, Fuel] = {"COL": "coal", "WND": "wind", "WAT": "hydro", "SUN": "solar"}
    return FedIn(plants, fuel or fuels[plants], NOON - hours_ago * HOUR, mw)


def mix_of(*rows: FedIn, oldest: timedelta = timedelta(days=1), plants: Ask | None = None) -> GenerationMix:
    return GenerationMix(
        name="test",
        factors="lifecycle",
        ask=plants or Plants(*rows),
        now_utc=ManualClock(),
        oldest=oldest,
        missed_for=MISSED_FOR,
        since_utc=datetime(2020, 1, 1, tzinfo=UTC),
    )


def hours(mix: GenerationMix) -> dict[int, float]:
    series = mix.history("DE", NOON - 10 * HOUR, NOON)
    return {round((NOON - one.start_utc) / HOUR): one.g_per_kwh for one in series}


@pytest.mark.parametrize("make", [EiaSource, EntsoeSource])
def test_factors_that_are_none_are_refused_and_not_taken_for_direct_ones(
    make: type[EiaSource] | type[EntsoeSource],
) -> None:
    with pytest.raises(SourceSpecError, match=r"factors is 'both'; it must be one of direct, lifecycle"):
        make("key", factors="both")  # type: ignore[arg-type]


def test_each_hour_is_the_mean_of_what_was_fed_in() -> None:
    mix = mix_of(row("COL", 2, 100), row("WND", 2, 300), row("COL", 1, 0), row("WND", 1, 50))
    assert hours(mix) == {2: pytest.approx((COAL + 3 * WIND) / 4), 1: WIND}


@pytest.mark.parametrize("late", [[], [row("COL", 1, None)]], ids=["no row", "null"])
def test_an_hour_in_which_a_fuel_is_late_is_unknown(late: list[FedIn]) -> None:
    mix = mix_of(row("COL", 2, 100), row("WND", 2, 100), row("WND", 1, 100), *late)
    assert set(hours(mix)) == {2}
    assert mix.latest("DE", NOON).start_utc == NOON - 2 * HOUR


def test_a_fuel_that_fell_silent_before_the_span_is_missed_all_the_same() -> None:
    for days_ago in (2, 19):
        mix = mix_of(row("COL", days_ago * 24, 100), row("WND", 1, 100))
        with pytest.raises(NoData, match=r"no hour from .* is known for every fuel; missing: coal \(COL\)$"):
            hours(mix)
        with pytest.raises(NoData, match=r"no hour of the last 24 .*; missing: coal \(COL\)$"):
            mix.latest("DE", NOON)


def test_what_has_been_silent_for_long_is_taken_to_be_shut_down() -> None:
    mix = mix_of(row("COL", 21 * 24, 100), row("WND", 21 * 24, 0), row("WND", 19 * 24, 100), row("WND", 1, 100))
    assert hours(mix) == {1: WIND}
    series = mix.history("DE", NOON - 25 * DAY, NOON)
    assert [(NOON - one.start_utc) // HOUR for one in series] == [21 * 24, 1]


@given(
    silent=st.tuples(st.integers(0, 19 * 24), st.integers(0, 40 * 24)).map(lambda at: range(at[1], sum(at))),
    days=st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_whether_an_hour_is_known_does_not_depend_on_where_the_question_begins(
    silent: range, days: tuple[int, int]
) -> None:
    coal = [row("COL", ago, 100) for ago in range(1, 60 * 24) if ago not in silent]
    mix = mix_of(*coal, *(row("WND", ago, 100) for ago in range(1, 60 * 24)))
    for start_utc in (NOON - day * DAY for day in days):
        try:
            series = mix.history("DE", start_utc, NOON)
        except NoData:
            series = Series([])
        known = {ago for ago in range(1, (NOON - start_utc) // HOUR + 1) if ago not in silent}
        assert {(NOON - one.start_utc) // HOUR for one in series} == known
        assert {one.g_per_kwh for one in series} <= {(COAL + WIND) / 2}


def test_what_told_before_is_asked_for_once_a_day_and_zone() -> None:
    plants = Plants(*(row("WND", ago, 100) for ago in range(1, 30 * 24)))
    mix = mix_of(plants=plants)
    for minutes in (0, 60, 120):
        mix.latest("DE", NOON - timedelta(minutes=minutes))
    assert len(plants.spans) == 3 + 3  # three pieces of the days before
    mix.latest("FR", NOON)
    assert len(plants.spans) == 6 + 1 + 3


def test_what_told_before_is_needed_and_not_guessed() -> None:
    class Down(Plants):
        def __call__(self, zone: str, start_utc: datetime, end_utc: datetime) -> list[FedIn]:
            if start_utc < NOON - 2 * DAY:
                raise SourceDown("test: down")
            return super().__call__(zone, start_utc, end_utc)

    with pytest.raises(SourceDown):
        mix_of(plants=Down(row("WND", 1, 100))).latest("DE", NOON)


def test_an_answer_that_breaks_off_leaves_nothing_behind() -> None:
    def north_and_no_south(zone: str, start_utc: datetime, end_utc: datetime) -> Iterator[FedIn]:
        yield row("COL", 1, 100)
        raise NoData("test: nothing in the south")

    with pytest.raises(NoData, match="south"):
        mix_of(plants=north_and_no_south).latest("DE", NOON)


def test_two_groups_of_one_fuel_add_up_and_each_is_needed() -> None:
    mix = mix_of(
        row("north", 2, 100, "coal"), row("south", 2, 100, "wind"), row("west", 2, 200, "wind"),
        row("north", 1, 100, "coal"), row("west", 1, 200, "wind"),
    )  # fmt: skip
    assert hours(mix) == {2: pytest.approx((COAL + 3 * WIND) / 4)}


@pytest.mark.parametrize(("plants", "mw"), [("SUN", -100.0), ("COL", -50.0), ("WND", -20.0), ("WAT", -3000.0)])
def test_what_a_plant_draws_itself_is_no_generation(plants: str, mw: float) -> None:
    rest = "COL" if plants == "WND" else "WND"
    assert hours(mix_of(row(plants, 1, mw), row(rest, 1, 100))) == {1: COAL if rest == "COL" else WIND}


@pytest.mark.parametrize(("plants", "mw"), [("SUN", -101.0), ("COL", -51.0), ("WND", -21.0)])
def test_what_is_too_negative_for_that_leaves_the_hour_unknown(plants: str, mw: float) -> None:
    mix = mix_of(row(plants, 2, 10), row(plants, 1, mw), *(row("WAT", ago, 100) for ago in (1, 2)))
    assert set(hours(mix)) == {2}


@pytest.mark.parametrize("mw", [1.1e6, -1.1e6, float("nan"), float("inf")])
def test_a_power_no_zone_has_is_bad_data(mw: float) -> None:
    with pytest.raises(BadData, match=r"^test: COL of DE fed in"):
        hours(mix_of(row("COL", 1, mw), row("WND", 1, 100)))


def test_two_figures_for_one_hour_are_bad_data() -> None:
    with pytest.raises(BadData, match="two different figures for COL"):
        hours(mix_of(row("COL", 1, 100), row("COL", 1, 101)))


def test_an_hour_without_any_generation_is_unknown() -> None:
    assert set(hours(mix_of(row("WND", 2, 0), row("WND", 1, 1)))) == {1}


def test_the_latest_may_be_as_old_as_the_source_allows_and_no_older() -> None:
    mix = mix_of(row("WND", 25, 100))
    assert mix.latest("DE", NOON).end_utc == NOON - 24 * HOUR
    with pytest.raises(NoData, match="no hour of the last 24"):
        mix.latest("DE", NOON + timedelta(minutes=1))


def test_a_long_history_is_asked_in_pieces() -> None:
    plants = Plants(*(row("WND", ago, 100) for ago in range(1, 500)))
    series = mix_of(plants=plants).history("DE", NOON - 480 * HOUR, NOON)
    assert len(series) == 480
    assert all(end - start <= 9 * DAY for start, end in plants.spans)
    assert len(plants.spans) == 3 + 3  # the latter for the days before


def test_a_week_without_data_is_a_gap_between_others() -> None:
    plants = Plants(row("WND", 1, 100), row("WND", 700, 100))
    assert len(mix_of(plants=plants).history("DE", NOON - 720 * HOUR, NOON)) == 2


def test_neither_the_future_nor_the_time_before_the_source_is_asked_for() -> None:
    plants = Plants(row("WND", 1, 100))
    for start, end in (
        (NOON + HOUR, NOON + 5000 * HOUR),
        (datetime(1900, 1, 1, tzinfo=UTC), datetime(2019, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(NoData):
            mix_of(plants=plants).history("DE", start, end)
    assert not plants.spans


@pytest.mark.parametrize(
    ("text", "value"), [("30", 30), ("-1.5", -1.5), (" 2e3 ", 2000), (".5", 0.5), ("1" * 400, float("inf"))]
)
def test_a_figure_is_read(text: str, value: float) -> None:
    assert figure(text) == value


@given(st.text())
def test_no_text_is_an_error_as_a_figure(text: str) -> None:
    value = figure(text)
    assert value is None or value == float(text)


@pytest.mark.parametrize("text", ["", "1_000", "nan", "inf", "1,5", "٣", "0x10", "1 000", "."])
def test_what_only_python_or_nobody_takes_for_a_number_is_none(text: str) -> None:
    assert figure(text) is None
