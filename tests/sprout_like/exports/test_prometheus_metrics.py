"""What is scraped parses, says what the rows say, and grows no further than its labels allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grid import SourceDown
from grid.testing import ScriptedSource
from sprout_like import CarbonAware
from sprout_like.choosing.breaker import Tripped
from sprout_like.errors import LedgerUnreachable
from sprout_like.ledger import SqlLedger
from sprout_like.ledger.spool import Spool
from sprout_like.ledger.testing import FailingStore, sample_account, sample_request
from sprout_like.meters.testing import ManualClock

prometheus_client = pytest.importorskip("prometheus_client", reason="needs the extra prometheus")

from prometheus_client import CollectorRegistry, generate_latest  # noqa: E402
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics  # noqa: E402
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families as parse  # noqa: E402

from sprout_like.exports.labels import LONGEST, Capped  # noqa: E402
from sprout_like.exports.prometheus import start_metrics  # noqa: E402
from sprout_like.exports.prometheus.metrics import Metrics  # noqa: E402

REQUEST = {
    "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
    "directive": "brief",
    "task": "question",
    "zone": "GB",
    "purpose": "request",
    "group": "policy",
}


def told(seen: Any, *rows: Any, most_values: int = 50) -> CollectorRegistry:
    registry = CollectorRegistry()
    Metrics(registry, most_values=most_values).tell(seen(*rows))
    return registry


def test_a_request_is_added_up_with_units_and_provenance(seen: Any) -> None:
    row = sample_request()
    registry = told(seen, row, row)

    def value(name: str, **more: str) -> float | None:
        return registry.get_sample_value(f"sprout_like_{name}", {**REQUEST, **more})

    assert value("requests_total", status="ok") == 2
    assert value("energy_joules_total", method="measured") == 40
    assert value("energy_uncertainty_joules_total", method="measured") == 1
    assert value("operational_carbon_grams_total", kind="average", factors="direct") == 2 * (row.operational_g or 0)
    assert value("embodied_carbon_grams_total") == pytest.approx(0.006)
    assert value("prompt_tokens_total") == 66
    assert value("new_tokens_total") == 64
    assert value("middleware_seconds_total") == pytest.approx(0.0002)
    duration = {"model": row.model, "directive": "brief", "status": "ok"}
    assert registry.get_sample_value("sprout_like_request_duration_seconds_sum", duration) == 3
    assert registry.get_sample_value("sprout_like_request_duration_seconds_bucket", {**duration, "le": "1.28"}) == 0
    assert registry.get_sample_value("sprout_like_request_duration_seconds_bucket", {**duration, "le": "2.56"}) == 2


def test_nothing_unknown_is_added_as_zero(seen: Any) -> None:
    nothing = {"energy_j": None, "operational_g": None, "embodied_g": None, "new_tokens": None, "first_token_s": None}
    registry = told(seen, sample_request(**nothing, reused_tokens=None))
    names = {sample.name for family in registry.collect() for sample in family.samples}
    for what in ("energy_joules", "operational_carbon_grams", "embodied_carbon_grams", "new_tokens", "reused_tokens"):
        assert f"sprout_like_{what}_total" not in names
    for what in ("energy", "operational_carbon", "embodied_carbon"):
        assert registry.get_sample_value(f"sprout_like_{what}_unknown_requests_total", REQUEST) == 1


def test_grams_of_different_kinds_are_apart(seen: Any) -> None:
    registry = told(
        seen, sample_request(0), sample_request(1, intensity_kind="marginal", intensity_factors="lifecycle")
    )
    grams = [
        (sample.labels["kind"], sample.labels["factors"])
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "sprout_like_operational_carbon_grams_total"
    ]
    assert sorted(grams) == [("average", "direct"), ("marginal", "lifecycle")]


def test_a_devices_account_adds_up_to_its_counter(seen: Any) -> None:
    account = sample_account()
    registry = told(seen, account)
    labels = {"device": "GPU-0", "component": "gpu", "method": "measured"}
    parts = [
        registry.get_sample_value("sprout_like_device_energy_joules_total", {**labels, "part": part})
        for part in ("requests", "elsewhere", "overhead", "idle")
    ]
    assert sum(part or 0 for part in parts) == account.counter_j


HOSTILE = [
    'a"} 1\nsprout_like_evil_total 99\n# HELP x',
    "back\\slash\\",
    "new\nline\rreturn",
    "\x1b[2J\x1b]0;owned\x07",
    "\ud800 half a pair",
    "=cmd()",
    "",
    "\x00",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_labels_stay_labels(seen: Any, value: str) -> None:
    registry = told(seen, sample_request(task=value, model=value, zone=value))
    for text, parser in (
        (generate_latest(registry).decode(), parse),
        (generate_openmetrics(registry).decode(), parse_openmetrics),
    ):
        assert "\x1b" not in text
        samples = [sample for family in parser(text) for sample in family.samples]
        assert not any("evil" in sample.name for sample in samples)
        (requests,) = [sample for sample in samples if sample.name == "sprout_like_requests_total"]
        assert requests.value == 1
        assert requests.labels["task"] == requests.labels["model"]


@settings(max_examples=50, deadline=None)
@given(st.text())
def test_every_text_comes_back_from_the_parser_as_the_label_it_became(text: str) -> None:
    from contextvars import copy_context

    from sprout_like.feed import Seen

    registry = CollectorRegistry()
    Metrics(registry).tell([Seen(sample_request(task=text), copy_context())])
    samples = [sample for family in parse(generate_latest(registry).decode()) for sample in family.samples]
    (found,) = {sample.labels["task"] for sample in samples if sample.name == "sprout_like_requests_total"}
    assert found == Capped()(text)


def test_labels_are_capped_and_what_that_hides_is_counted(seen: Any) -> None:
    registry, tasks = CollectorRegistry(), 12
    metrics = Metrics(registry, most_values=10)
    metrics.tell(seen(*(sample_request(number, task=f"task {number}") for number in range(tasks))))
    labels = [
        sample.labels["task"]
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "sprout_like_requests_total"
    ]
    assert len(labels) == 11
    assert registry.get_sample_value("sprout_like_requests_total", {**REQUEST, "task": "other", "status": "ok"}) == 2
    assert metrics.labels["task"].others == 2
    assert "'other'" in next(f.documentation for f in registry.collect() if f.name == "sprout_like_requests")


def test_a_long_label_is_cut() -> None:
    assert len(Capped()("x" * 1_000_000)) == LONGEST
    assert Capped()("x" * LONGEST) == "x" * LONGEST


def test_a_scrape_says_how_things_stand(wrap: Callable[..., CarbonAware], tmp_path: Any) -> None:
    aware = wrap(ledger=str(tmp_path / "ledger.sqlite"))
    metrics = start_metrics(aware, 0)
    aware.chat("x", task="sums")
    metrics.refresh()
    found = {sample.name: sample for family in parse(httpx.get(str(metrics.url)).text) for sample in family.samples}
    assert found["sprout_like_requests_total"].labels["task"] == "sums"
    intensity = found["sprout_like_grid_intensity_grams_per_kwh"]
    assert intensity.value == 100
    assert intensity.labels["kind"] == "average"
    assert found["sprout_like_ledger_up"].value == 1
    assert found["sprout_like_ledger_pending_rows"].value == 0
    assert found["sprout_like_breaker_open"].value == 0
    assert found["sprout_like_export_dropped_rows_total"].value == 0


def test_an_intensity_that_is_unknown_has_no_sample(wrap: Callable[..., CarbonAware]) -> None:
    aware = wrap(grid=ScriptedSource(SourceDown("gone")))
    text = httpx.get(str(start_metrics(aware, 0).url)).text
    assert 'sprout_like_grid_intensity_known{zone="GB"} 0.0' in text
    assert "sprout_like_grid_intensity_grams_per_kwh" not in text


def test_an_open_breaker_and_a_database_that_is_away_show(followed: Any, tmp_path: Path) -> None:
    bench = FailingStore()
    ledger = SqlLedger(lambda: (bench, Spool(tmp_path / "spool.sqlite", bench.name)), clock=ManualClock())
    bench.failure = LedgerUnreachable("gone")
    ledger.append(sample_request())
    policy = Tripped("contextual:7", 0.05, "verdicts do not show the floor")
    followed.live = replace(followed.live, policy=policy, ledger=ledger)
    metrics = start_metrics(followed, 0)

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"sprout_like_{name}", labels)

    assert value("breaker_open", model="null") == 1
    assert value("policy_info", model="null", policy="contextual", version="contextual:7;breaker") == 1
    assert value("ledger_up") == 0
    assert value("ledger_pending_rows") == 1
    assert value("ledger_outages_total") == 1
    ledger.close()
