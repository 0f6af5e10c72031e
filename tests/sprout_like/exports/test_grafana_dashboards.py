"""The dashboards load, and ask for nothing that is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from sprout_like.cli.commands import app
from sprout_like.exports.grafana import Source, dashboard
from sprout_like.ledger import open_engine
from sprout_like.ledger.testing import sample_account, sample_request

SOURCES = get_args(Source)
RANGES = {"$__rate_interval": "5m", "$__range": "24h"}
# Units that Grafana knows (packages/grafana-data, valueFormats/categories).
UNITS = {"none", "short", "joule", "watt", "massg", "percentunit", "s", "bool_on_off"}


def panels(source: Source) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(dashboard(source))["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("source", SOURCES)
def test_the_command_prints_it_as_it_is_packaged(source: str) -> None:
    printed = CliRunner().invoke(app, ["export", "grafana", "--source", source])
    assert printed.exit_code == 0
    assert printed.stdout == dashboard(source)


@pytest.mark.parametrize("source", SOURCES)
def test_the_model_is_one_that_grafana_loads(source: Source) -> None:
    model = json.loads(dashboard(source))
    assert model["schemaVersion"] >= 39
    assert re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", model["uid"])
    assert model["title"]
    kind = {"prometheus": "prometheus", "postgresql": "grafana-postgresql-datasource"}[source]
    variables = {variable["name"]: variable for variable in model["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == kind
    ids = [panel["id"] for panel in model["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in panels(source):
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        assert panel["targets"]
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": kind, "uid": "${datasource}"}
    names = set(variables) | {"__rate_interval", "__range", "__interval", "__timeFilter", "__timeGroupAlias", "__all"}
    assert set(re.findall(r"\$\{?(\w+)", dashboard(source))) <= names


@pytest.mark.parametrize("source", SOURCES)
def test_no_panel_lies_over_another(source: Source) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(dashboard(source))["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not taken & cells
        taken |= cells


def expressions() -> Iterator[str]:
    for panel in panels("prometheus"):
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in RANGES.items():
                expression = expression.replace(name, value)
            yield expression


@pytest.fixture
def exposed(followed: Any, seen: Callable[..., Any], tmp_path: Any) -> dict[str, set[str]]:
    """Labels by the name of the sample, of everything that can be scraped."""
    pytest.importorskip("prometheus_client", reason="needs the extra prometheus")
    from dataclasses import replace

    from sprout_like.exports.prometheus import start_metrics
    from sprout_like.ledger import open_ledger

    ledger = open_ledger(tmp_path / "ledger.sqlite", spool_path=tmp_path / "spool.sqlite")
    followed.live = replace(followed.live, ledger=ledger)
    metrics = start_metrics(followed, 0)
    nothing = dict.fromkeys(("energy_j", "operational_g", "embodied_g"))
    followed.put(sample_request(reused_tokens=1), sample_request(1, **nothing), sample_account())
    metrics.refresh()
    ledger.close()
    return {sample.name: set(sample.labels) for family in metrics.registry.collect() for sample in family.samples}


def walk(node: Any) -> Iterator[Any]:
    yield node
    for part in ("lhs", "rhs", "expr", "param", "vector_selector", "args"):
        inner = getattr(node, part, None)
        for child in inner if isinstance(inner, list) else [inner]:
            if child is not None and not isinstance(child, str):
                yield from walk(child)


def test_every_expression_parses_and_asks_for_what_is_exposed(exposed: dict[str, set[str]]) -> None:
    promql = pytest.importorskip("promql_parser", reason="needs promql-parser, of the extra dev")
    asked: set[str] = set()
    for expression in expressions():
        nodes = list(walk(promql.parse(expression)))
        found = [node for node in nodes if isinstance(node, promql.VectorSelector)]
        assert found, expression
        for selector in found:
            assert selector.name in exposed, expression
            labels = {matcher.name for matcher in selector.matchers.matchers}
            assert labels <= exposed[selector.name], expression
        asked |= {selector.name for selector in found}
        for node in nodes:
            if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
                inside = [exposed[part.name] for part in walk(node) if isinstance(part, promql.VectorSelector)]
                assert all(set(node.modifier.labels) <= labels for labels in inside), expression
    assert len(asked) >= 20


def test_legends_and_variables_name_labels_that_are_there(exposed: dict[str, set[str]]) -> None:
    everywhere = set().union(*exposed.values())
    for panel in panels("prometheus"):
        for target in panel["targets"]:
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= everywhere
    for variable in json.loads(dashboard("prometheus"))["templating"]["list"][1:]:
        metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
        assert label in exposed[metric]


@pytest.mark.postgres
def test_every_sql_query_runs(postgres_url: str, tmp_path: Any) -> None:
    from sprout_like.ledger import open_ledger

    ledger = open_ledger(postgres_url, spool_path=tmp_path / "spool.sqlite")
    for row in (sample_request(), sample_request(1, energy_j=None, operational_g=None), sample_account()):
        ledger.append(row)
    ledger.flush()
    ledger.close()
    queries = [target["rawSql"] for panel in panels("postgresql") for target in panel["targets"]]
    model = json.loads(dashboard("postgresql"))
    queries += [v["query"] for v in model["templating"]["list"] if v["type"] == "query"]
    engine = open_engine(postgres_url)
    with engine.connect() as connection:
        for query in queries:
            rows = connection.execute(text(expanded(query))).all()
            assert rows or "intensities" in query, query
            if "$__timeGroupAlias" in query and rows:
                assert rows[0]._fields[:2] == ("time", "metric")
    engine.dispose()


def expanded(query: str) -> str:
    """As Grafana's PostgreSQL source expands its macros."""
    query = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN '2026-01-01T00:00:00Z' AND '2027-01-01T00:00:00Z'", query)
    grouped = r"floor(extract(epoch from \1)/3600)*3600 AS \"time\"".replace('\\"', '"')
    query = re.sub(r"\$__timeGroupAlias\((\w+), \$__interval\)", grouped, query)
    values = {"model": "HuggingFaceTB/SmolLM2-135M-Instruct", "zone": "GB", "purpose": "request"}
    return re.sub(r"\$(\w+)", lambda found: f"'{values[found[1]]}'", query)
