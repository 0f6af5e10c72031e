"""What a document says, and everything that can be wrong with one."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import BadData
from grid.sources.entsoe_xml import Block, blocks, refusal

QUARTER = timedelta(minutes=15)
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
NAMESPACE = ' xmlns="urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"'
AREA = '<inBiddingZone_Domain.mRID codingScheme="A01">10YFI-1--------U</inBiddingZone_Domain.mRID>'


def period(
    points: str, *, start: str = "2026-03-02T10:00Z", end: str = "2026-03-02T11:00Z", step: str = "PT15M"
) -> str:
    interval = f"<timeInterval>\n\t<start>{start}</start>\n\t<end>{end}</end>\n</timeInterval>"
    return f"<Period>{interval}<resolution>{step}</resolution>{points}</Period>"


def point(position: object, quantity: object) -> str:
    return f"<Point>\n<position>{position}</position>\n<quantity>{quantity}</quantity>\n</Point>"


def series(*periods: str, area: str = AREA, curve: str = "A03", psr_type: str = "B04", unit: str = "MAW") -> str:
    return (
        f"<TimeSeries><mRID>1</mRID>{area}<quantity_Measure_Unit.name>{unit}</quantity_Measure_Unit.name>"
        f"<curveType>{curve}</curveType><MktPSRType><psrType>{psr_type}</psrType></MktPSRType>"
        f"{''.join(periods)}</TimeSeries>"
    )


def document(*all_series: str, kind: str = "A75", namespace: str = NAMESPACE) -> bytes:
    return f"<GL_MarketDocument{namespace}><type>{kind}</type>{''.join(all_series)}</GL_MarketDocument>".encode()


def figures(found: list[Block]) -> dict[int, float]:
    return {(block.start_utc - START) // QUARTER + 1: block.mw for block in found}


@pytest.mark.parametrize("namespace", [NAMESPACE, NAMESPACE.replace("3:0", "4:2"), ""])
def test_a_block_is_told_whatever_the_version_of_the_document(namespace: str) -> None:
    body = document(series(period(point(1, 14.7), end="2026-03-02T10:15Z")), namespace=namespace)
    assert blocks(body) == [Block("10YFI-1--------U", "B04", START, QUARTER, 14.7)]


def test_a_missing_position_is_as_before_where_the_curve_says_so() -> None:
    body = document(series(period(point(1, 14.7) + point(3, 14.6)), curve="A03"))
    assert figures(blocks(body)) == {1: 14.7, 2: 14.7, 3: 14.6, 4: 14.6}


def test_a_missing_position_is_a_gap_where_the_curve_has_them_all() -> None:
    body = document(series(period(point(1, 14.7) + point(3, 14.6)), curve="A01"))
    assert figures(blocks(body)) == {1: 14.7, 3: 14.6}


def test_nothing_is_carried_to_before_the_first_position_nor_past_the_period() -> None:
    half = period(point(2, 5), end="2026-03-02T10:45Z")
    assert figures(blocks(document(series(half)))) == {2: 5, 3: 5}


def test_each_period_stands_alone() -> None:
    first = period(point(1, 5), end="2026-03-02T10:15Z")
    second = period(point(2, 7), start="2026-03-02T10:30Z")
    assert figures(blocks(document(series(first, second)))) == {1: 5, 4: 7}


def test_consumption_is_left_out() -> None:
    pumping = series(period(point(1, 900)), area=AREA.replace("inBidding", "outBidding"), psr_type="B10")
    assert blocks(document(pumping)) == []


@pytest.mark.parametrize(("step", "length"), [("PT15M", 15), ("PT30M", 30), ("PT60M", 60), ("PT1H", 60)])
def test_the_resolution_is_that_of_the_period(step: str, length: int) -> None:
    [first, *_] = blocks(document(series(period(point(1, 5), step=step))))
    assert first.length == timedelta(minutes=length)


def test_points_in_any_order_and_twice_are_understood() -> None:
    body = document(series(period(point(3, 7) + point(1, 5) + point(3, "7.0"))))
    assert figures(blocks(body)) == {1: 5, 2: 5, 3: 7, 4: 7}


BAD = {
    "not XML": b"<html><p>Service unavailable",
    "empty": b"",
    "JSON": b"{}",
    "another document": b"<Publication_MarketDocument/>",
    "another type": document(kind="A65"),
    "cut off": document(series(period(point(1, 5))))[:-40],
    "unknown encoding": b'<?xml version="1.0" encoding="klingon"?><a/>',
    "two figures": document(series(period(point(1, 5) + point(1, 6)))),
    "no area": document(series(period(point(1, 5)), area="")),
    "no plant": document(series(period(point(1, 5)), psr_type="")),
    "another unit": document(series(period(point(1, 5)), unit="MWH")),
    "overlapping blocks": document(series(period(point(1, 5)), curve="A04")),
    "no interval": document(series("<Period><resolution>PT15M</resolution></Period>")),
    "daily": document(series(period(point(1, 5), step="P1D"))),
    "not whole steps": document(series(period(point(1, 5), end="2026-03-02T10:20Z"))),
    "ends before it starts": document(series(period(point(1, 5), end="2026-03-02T09:00Z"))),
    "lasts three years": document(series(period(point(1, 5), end="2029-03-02T10:00Z"))),
    "local time": document(series(period(point(1, 5), start="2026-03-02T10:00+01:00"))),
    "no zone": document(series(period(point(1, 5), start="2026-03-02T10:00"))),
    "thirteenth month": document(series(period(point(1, 5), start="2026-13-02T10:00Z"))),
    **{
        f"position {position}": document(series(period(point(position, 5))))
        for position in (0, 5, -1, "1.0", "", "first", "9" * 5000)
    },
    **{
        f"quantity {str(quantity)[:9]}": document(series(period(point(1, quantity))))
        for quantity in ("", "n/a", "NaN", "inf", "True", "1,5", "1_0", "1" * 400, "<b>5</b>")
    },
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_a_document_out_of_order_is_bad_data(body: bytes) -> None:
    with pytest.raises(BadData, match=r"^entsoe: ") as caught:
        blocks(body)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_is_refused_before_its_entities_can_grow(encoding: str) -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE GL_MarketDocument [<!ENTITY l0 "ha">{laughs}]><GL_MarketDocument>&l11;</GL_MarketDocument>'
    with pytest.raises(BadData, match="declares a document type"):
        blocks(bomb.encode(encoding))


def test_a_deep_document_is_no_more_than_bad_data() -> None:
    deep = b"<a>" * 100_000 + b"</a>" * 100_000
    with pytest.raises(BadData, match="not a document of generation"):
        blocks(deep)


def test_a_refusal_is_told_on_one_line() -> None:
    text = "<Reason><code>999</code><text>No matching\n  data found</text></Reason>"
    assert refusal(f"<Acknowledgement_MarketDocument>{text}</Acknowledgement_MarketDocument>".encode()) == (
        "No matching data found"
    )
    assert refusal(b"<Acknowledgement_MarketDocument/>") == "no reason given"


@pytest.mark.parametrize(
    "body", [b"", b"<a/>", document(), b"<Acknowledgement_MarketDocument>", b"<a>Acknowledgement_MarketDocument</a>"]
)
def test_anything_else_is_no_refusal(body: bytes) -> None:
    assert refusal(body) is None


texts = st.text(st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="<>&"), max_size=6)
stamps = st.sampled_from(["2026-03-02T10:00Z", "2026-03-02T11:00Z", "2099-12-31T23:59Z"]) | texts
documents = st.builds(
    lambda points, start, end, step, curve: document(
        series(*(period(p, start=start, end=end, step=step) for p in points), curve=curve)
    ),
    st.lists(st.builds(point, st.integers(-1, 6) | texts, st.floats() | texts), max_size=3),
    stamps,
    stamps,
    st.sampled_from(["PT15M", "PT60M"]) | texts,
    st.sampled_from(["A01", "A03"]) | texts,
)


@given(st.binary() | documents | st.builds(lambda body, cut: body[:cut], documents, st.integers(0, 500)))
def test_no_bytes_raise_anything_but_bad_data(body: bytes) -> None:
    refusal(body)
    with contextlib.suppress(BadData):
        assert all(block.mw == block.mw for block in blocks(body))
