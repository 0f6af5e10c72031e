"""What is wrong with a setting is said at construction: one error, naming the setting and the fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from directives import DirectiveError
from grid import GridError
from grid.testing import Answer, LoopbackUK
from sprout_like import CarbonAware, Settings, SproutError
from sprout_like.testing import MemoryLedger, NullEngine
from tests.sprout_like.shown import shown


def wrap(**parts: Any) -> CarbonAware:
    return CarbonAware(
        None, **{"engine": NullEngine(), "grid": 100, "ledger": MemoryLedger(), "meter": "none", **parts}
    )


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"zone": "GBB"}, ["GBB", "GB"]),
        ({"zone": "DE", "grid": "uk"}, ["DE", "GB"]),
        ({"zone": ""}, ["zone", "empty"]),
        ({"grid": "ukk"}, ["ukk", "uk"]),
        ({"grid": "static:lots"}, ["static:250"]),
        ({"grid": -5}, ["-5"]),
        ({"grid": "trace:absent.csv"}, ["absent.csv"]),
        ({"grid": object()}, ["object"]),
        ({"policy": "breif"}, ["policy", "breif", "brief"]),
        ({"policy": 5}, ["policy", "int"]),
        ({"meter": "nvlm"}, ["meter", "nvlm", "nvml"]),
        ({"meter": 3}, ["meter", "int"]),
        ({"ledger": "mysql://x/y"}, ["ledger", "mysql", "postgresql"]),
        ({"ledger": "postgresql://h:notaport/x"}, ["ledger"]),
        ({"ledger": 7}, ["ledger", "int"]),
        ({"ledger": "/proc/version/ledger.sqlite"}, ["ledger", "/proc/version"]),
        ({"ledger": "/tmp"}, ["ledger", "/tmp"]),
        ({"engine": None}, ["model", "generate()"]),
        ({"engine": "transformers"}, ["model", "generate()"]),
        ({"engine": "vlmm"}, ["engine", "vlmm", "transformers"]),
    ],
    ids=shown,
)
def test_one_clear_error(parts: dict[str, Any], says: list[str]) -> None:
    with pytest.raises((SproutError, GridError, DirectiveError)) as caught:
        wrap(**parts)
    message = str(caught.value)
    assert all(part in message for part in says), message
    assert "\n" not in message


def test_a_catalogue_that_lacks_the_steps_directives(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[directive.short]\nbudget = { max_new_tokens = 9 }\n")
    with pytest.raises(SproutError, match=r"thresholds: .*'brief'"):
        wrap(settings=Settings.load(catalogue=path), policy="threshold")
    pinned = wrap(settings=Settings.load(catalogue=path), policy="short")
    pinned.generate()
    pinned.close()


def test_an_absent_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(SproutError, match=r"catalogue: cannot read .*absent\.toml"):
        wrap(settings=Settings.load(catalogue=tmp_path / "absent.toml"))


def test_a_refused_key_is_said_at_construction() -> None:
    with LoopbackUK() as server:
        server.answer = Answer(status=401, body="{}")
        with pytest.raises(GridError, match="401"):
            wrap(grid=f"uk+{server.url}")


FAULTS = {
    "500": Answer(status=500, body="oops"),
    "html": Answer(body="<html>maintenance</html>"),
    "empty": Answer(body=""),
    "null": Answer(body='{"data":[{"from":"2026-01-15T12:00Z","to":"2026-01-15T12:30Z","intensity":null}]}'),
    "truncated": Answer(body='{"data":[{"from":'),
}
for name, figure in {"nan": "NaN", "negative": "-3", "text": '"266"', "huge": "1e9"}.items():
    body = '{"data":[{"from":"2026-01-15T12:00Z","to":"2026-01-15T12:30Z","intensity":{"forecast":%s,"actual":%s}}]}'
    FAULTS[name] = Answer(body=body % (figure, figure))
FAULTS["future"] = Answer(
    body='{"data":[{"from":"2099-01-15T12:00Z","to":"2099-01-15T12:30Z","intensity":{"forecast":9,"actual":9}}]}'
)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_source_never_stops_an_answer_and_never_invents_a_figure(fault: str) -> None:
    ledger = MemoryLedger()
    with LoopbackUK() as server:
        server.answer = FAULTS[fault]
        with wrap(grid=f"uk+{server.url}", ledger=ledger, policy="threshold") as aware:
            assert len(aware.generate()) == 32
    row = ledger.requests[0]
    assert (row.intensity_g_per_kwh, row.operational_g, row.directive) == (None, None, "full")
    assert row.intensity_reason


def test_a_source_that_is_down_never_stops_an_answer() -> None:
    with LoopbackUK() as server:
        url = server.url
    ledger = MemoryLedger()
    with wrap(grid=f"uk+{url}", ledger=ledger) as aware:
        aware.generate()
    assert "no answer" in str(ledger.requests[0].intensity_reason)


def test_a_live_source_is_in_the_first_row() -> None:
    ledger = MemoryLedger()
    with LoopbackUK() as server, wrap(grid=f"uk+{server.url}", ledger=ledger) as aware:
        aware.generate()
    row = ledger.requests[0]
    assert (row.intensity_g_per_kwh, row.intensity_kind, row.intensity_factors) == (210, "average", "direct")
    assert (row.intensity_status, row.intensity_source, row.intensity_stale) == ("forecast", "uk", False)
