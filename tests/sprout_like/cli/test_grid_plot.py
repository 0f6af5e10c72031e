"""The plot: what is known is drawn to scale, what is not is a gap, in any width and with any characters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import Intensity, Series
from grid.testing import reading
from sprout_like.cli.grid.glyphs import ASCII, BLOCKS, Glyphs
from sprout_like.cli.grid.plot import plot, sparkline
from sprout_like.cli.grid.times import Times, in_words

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
UTC_TIMES = Times(utc=True)


def hourly(values: Sequence[float | None], half_width: Callable[[int], float] | None = None) -> Series:
    """A reading per hour from midnight on, none where the value is None, with an interval where one is asked for."""
    return Series(
        _with_interval(reading(value, start_utc=MIDNIGHT + n * HOUR, slot_s=3600), half_width and half_width(n))
        for n, value in enumerate(values)
        if value is not None
    )


def _with_interval(one: Intensity, half: float | None) -> Intensity:
    if half is None:
        return one
    return replace(one, low_g_per_kwh=max(0.0, one.g_per_kwh - half), high_g_per_kwh=one.g_per_kwh + half)


DAY = [100 + 8 * n for n in range(10)] + [None] * 4 + [200 - 10 * n for n in range(10)]


def drawn(series: Series, **options: Any) -> list[str]:
    options = {"width": 56, "times": UTC_TIMES, **options}
    return plot(series, MIDNIGHT, MIDNIGHT + 24 * HOUR, **options).plain.splitlines()


def test_a_day_with_a_gap_and_a_marked_window() -> None:
    assert drawn(hourly(DAY), marked=(MIDNIGHT + 20 * HOUR, MIDNIGHT + 23 * HOUR)) == [
        " g/kWh",
        "   200 │                            ██▄▄",
        "       │                ▂▂▅▅        ██████▄▄",
        "       │            ▄▄▇▇████        ██████████▄▄",
        "       │      ▂▂▅▅██████████        ██████████████▄▄",
        "       │  ▄▄▇▇██████████████        ██████████████████▄▄",
        "   100 │████████████████████        ████████████████████",
        "       │████████████████████        ████████████████████",
        "       │████████████████████        ████████████████████",
        "       │████████████████████        ████████████████████",
        "       │████████████████████        ████████████████████",
        "     0 └┴───────────┴───────    ┴   ────────┴───────────",
        "        00:00     06:00       12:00       18:00",
        "                                                ▲▲▲▲▲▲",
    ]


def test_the_same_without_block_characters() -> None:
    assert drawn(hourly(DAY), width=40, glyphs=ASCII) == [
        " g/kWh",
        "   200 |                  ##:.",
        "       |           .::    #####:",
        "       |        :#####    ########.",
        "       |    .:########    ##########:.",
        "       | .:###########    #############:",
        "   100 |##############    ##############",
        "       |##############    ##############",
        "       |##############    ##############",
        "       |##############    ##############",
        "       |##############    ##############",
        "     0 ++-------------  + --------------",
        "        00:00         12:00",
    ]


def test_an_interval_is_a_shade_around_the_value() -> None:
    assert drawn(hourly([200.0] * 24, half_width=lambda n: 4.0 * n))[1:7] == [
        "   300 │                                            ░░░░",
        "       │                            ░░░░░░░░░░░░░░░░░░░░",
        "       │              ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░",
        "       │▆▆▆▆▆▆▆▆▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓",
        "       │██████████████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓",
        "   150 │██████████████████████████████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓",
    ]


def test_the_window_is_coloured_and_nothing_else() -> None:
    marked = MIDNIGHT + 20 * HOUR, MIDNIGHT + 23 * HOUR
    picture = plot(hourly(DAY), MIDNIGHT, MIDNIGHT + 24 * HOUR, width=56, times=UTC_TIMES, marked=marked)

    coloured = [picture.plain[span.start : span.end] for span in picture.spans]
    assert coloured == ["██▄▄", *["██████"] * 6, "▲▲▲▲▲▲"]


def test_nothing_is_drawn_where_nothing_is_known_and_zero_has_an_axis() -> None:
    *bars, axis, _ = drawn(hourly([0.0] * 12))[1:]

    assert {bar[8:] for bar in bars} == {""}
    assert axis == "     0 └┴───────────┴───────────┴           ┴"
    assert drawn(Series([]))[11] == "     0 └┴           ┴           ┴           ┴"


@given(
    values=st.lists(st.none() | st.floats(0, 5000), max_size=30),
    width=st.integers(20, 130),
    half=st.none() | st.floats(0, 900),
    glyphs=st.sampled_from([BLOCKS, ASCII]),
)
def test_any_series_fits_any_width(values: list[float | None], width: int, half: float | None, glyphs: Glyphs) -> None:
    series = hourly(values, None if half is None else lambda _: half)
    lines = drawn(series, width=width, glyphs=glyphs)

    assert len(lines) == 13
    assert max(map(len, lines)) <= max(width, 18)
    assert not any(line.endswith(" ") for line in lines)
    if glyphs is ASCII:
        assert all(map(str.isascii, lines))


@given(low=st.floats(1, 4000), factor=st.floats(1.5, 50))
def test_a_higher_value_has_a_higher_bar(low: float, factor: float) -> None:
    bars = drawn(hourly([low] * 12 + [min(5000.0, low * factor)] * 12))[1:11]

    assert sum(bar[8:9] not in ("", " ") for bar in bars) <= sum(bar[40:41] not in ("", " ") for bar in bars)
    assert bars[-1][8] != " "  # the least bit shows


def test_a_sparkline_is_to_a_given_scale_and_keeps_gaps() -> None:
    series = hourly([0, 50, 100, None, 200, None])

    def line(top: float) -> str:
        return sparkline(series, MIDNIGHT, MIDNIGHT + 6 * HOUR, width=6, top=top)

    assert line(200) == "▁▂▄ █ "
    assert line(400) == "▁▁▂ ▄ "
    assert line(0) == "▁▁▁ ▁ "


def test_ticks_follow_the_local_clock_through_its_change() -> None:
    """In Berlin the hour after 01:59 on 29 March 2026 is 03:00."""
    script = (
        "from datetime import UTC, datetime, timedelta\n"
        "from sprout_like.cli.grid.times import Times\n"
        "start = datetime(2026, 3, 28, 23, tzinfo=UTC)\n"
        "print(*(f'{when:%H}={label}' for when, label in Times().ticks(start, start + timedelta(hours=6), 6)))\n"
        "print(Times().offsets(start, start + timedelta(hours=6)))\n"
        "print(Times().span(start, start + timedelta(hours=1)))\n"
    )
    environment = {**os.environ, "TZ": "Europe/Berlin"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "23=00:00 00=01:00 01=03:00 02=04:00 03=05:00 04=06:00",
        "UTC+01:00, then UTC+02:00",
        "2026-03-29 00:00 to 01:00 UTC+01:00 (2026-03-28 23:00 to 2026-03-29 00:00 UTC)",
    ]


@pytest.mark.parametrize(("hours", "labels"), [(3, 3), (24, 8), (72, 6), (24 * 30, 4), (24 * 366, 13)])
def test_there_are_a_few_ticks_in_any_span(hours: int, labels: int) -> None:
    assert len(list(UTC_TIMES.ticks(MIDNIGHT, MIDNIGHT + hours * HOUR, 8))) <= max(8, labels)
    assert len(list(UTC_TIMES.ticks(MIDNIGHT, MIDNIGHT + hours * HOUR, 8))) >= 2


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119, "119 s"),
        (120, "2 min"),
        (3600, "1 h"),
        (5400, "90 min"),
        (9000, "2.5 h"),
        (259200, "72 h"),
        (864000, "10 d"),
    ],
)
def test_lengths_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
