"""A real Prometheus scrapes what is served, and answers all that the dashboard asks it."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytest.importorskip("prometheus_client", reason="needs the extra prometheus")

from sprout_like.exports.grafana import dashboard
from sprout_like.exports.prometheus import start_metrics
from sprout_like.ledger.testing import sample_account, sample_request

PATIENCE_S = 60
ENERGIES_J = (20.0, 5.5, 7.25)

Query = Callable[[str], list[tuple[dict[str, str], float]]]


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[str], Query]]:
    """Starts a server that scrapes an address every second; gives what asks it in its own language."""
    binary = shutil.which("prometheus")
    if binary is None:
        pytest.skip("Prometheus is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def start(target: str) -> Query:
        scrapes = {"job_name": "sprout", "static_configs": [{"targets": [target]}]}
        config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": [scrapes]}
        file = tmp_path / "prometheus.yml"
        file.write_text(json.dumps(config))  # JSON is YAML
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = [f"--config.file={file}", f"--storage.tsdb.path={tmp_path / 'data'}"]
        with (tmp_path / "prometheus.log").open("wb") as log:
            running.append(
                subprocess.Popen([binary, *options, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
            )

        def query(expression: str) -> list[tuple[dict[str, str], float]]:
            answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}, trust_env=False)
            assert answer.status_code == 200, (expression, answer.text)
            return [(each["metric"], float(each["value"][1])) for each in answer.json()["data"]["result"]]

        return query

    yield start
    for process in running:
        process.terminate()
        process.wait(30)


def eventually(query: Query, expression: str, wanted: float) -> None:
    """Waits until it has scraped so often that the expression has the value."""
    begun_s, found = time.monotonic(), None
    while time.monotonic() < begun_s + PATIENCE_S:
        try:
            found = query(expression)
        except httpx.TransportError:
            found = None
        if found and found[0][1] == pytest.approx(wanted, rel=1e-12):
            return
        time.sleep(0.2)
    pytest.fail(f"{expression} is {found}, not {wanted}")


def test_it_has_the_sums_of_the_rows_and_every_panel_of_the_dashboard_can_be_drawn(
    followed: Any, prometheus: Callable[[str], Query]
) -> None:
    metrics = start_metrics(followed, 0)
    query = prometheus(str(metrics.url).removeprefix("http://").removesuffix("/metrics"))
    rows = [sample_request(number, energy_j=energy_j) for number, energy_j in enumerate(ENERGIES_J)]
    followed.put(*rows, sample_account())

    eventually(query, "sum(sprout_like_requests_total)", len(ENERGIES_J))
    assert query("sum(sprout_like_energy_joules_total)")[0][1] == pytest.approx(sum(ENERGIES_J), rel=1e-12)
    grams = sum(row.operational_g or 0.0 for row in rows)
    assert query("sum(sprout_like_operational_carbon_grams_total)")[0][1] == pytest.approx(grams, rel=1e-12)

    names = {metric["__name__"] for metric, _ in query('{__name__=~"sprout_like_.+"}')}
    for panel in json.loads(dashboard("prometheus"))["panels"]:
        for target in panel.get("targets", []):
            expression = target["expr"]
            for variable, value in (("$__rate_interval", "1m"), ("$__range", "1h")):
                expression = expression.replace(variable, value)
            for variable in ("$model", "$zone", "$purpose"):
                expression = expression.replace(variable, ".*")
            query(expression)
    assert {"sprout_like_grid_intensity_grams_per_kwh", "sprout_like_device_energy_joules_total"} <= names
