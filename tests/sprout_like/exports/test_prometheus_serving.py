"""`/metrics` for this machine alone, pushes that end with the process, and processes that are counted together."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest

from sprout_like import CarbonAware
from sprout_like.settings import Settings

pytest.importorskip("prometheus_client", reason="needs the extra prometheus")

from prometheus_client import REGISTRY, CollectorRegistry

from sprout_like.exports.prometheus import push_metrics, start_metrics

Wrap = Callable[..., CarbonAware]


def test_the_setting_alone_serves_metrics_until_it_is_closed(wrap: Wrap) -> None:
    port = int(str(start_metrics(wrap(), 0).url).rpartition(":")[2].partition("/")[0]) + 1
    aware = wrap(settings=Settings.load(metrics_port=port))
    url = f"http://127.0.0.1:{port}/metrics"
    assert "sprout_like_build_info" in httpx.get(url).text
    aware.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("localhost", "/metrics", 200),
        ("localhost:1234", "/metrics", 200),
        ("LOCALHOST:1234", "/metrics", 200),
        ("attacker.example", "/metrics", 403),
        ("attacker.example:80", "/metrics", 403),
        ("", "/metrics", 403),
        ("127.0.0.1.attacker.example", "/metrics", 403),
        ("localhost", "/", 404),
        ("localhost", "/metrics/../../etc/passwd", 404),
    ],
)
def test_only_this_machine_by_its_own_name_is_answered(wrap: Wrap, host: str, path: str, status: int) -> None:
    url = str(start_metrics(wrap(), 0).url).replace("/metrics", "")
    with httpx.Client() as client:
        request = httpx.Request("GET", url, headers={"Host": host})
        request.url = request.url.copy_with(raw_path=path.encode())
        assert client.send(request).status_code == status


def test_nothing_can_be_written(wrap: Wrap) -> None:
    url = str(start_metrics(wrap(), 0).url)
    assert httpx.post(url, content=b"x").status_code == 405


def test_registries_are_ones_own(wrap: Wrap) -> None:
    before = {family.name for family in REGISTRY.collect()}
    one, other = start_metrics(wrap(), 0), start_metrics(wrap(), 0)
    assert one.registry is not other.registry
    assert {family.name for family in REGISTRY.collect()} == before
    mine = CollectorRegistry()
    assert start_metrics(wrap(), 0, registry=mine).registry is mine
    servers = [thread.name for thread in threading.enumerate()].count("sprout-like-metrics")
    with pytest.raises(ValueError, match="Duplicated"):
        start_metrics(wrap(), 0, registry=mine)
    assert [thread.name for thread in threading.enumerate()].count("sprout-like-metrics") == servers


class Gateway(BaseHTTPRequestHandler):
    got: list[tuple[str, str, str]]
    status = 200

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.got.append((self.command, self.path, body))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[type[Gateway]]:
    handler = type("OneGateway", (Gateway,), {"got": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    handler.url = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_last_requests_are_pushed_at_the_end(wrap: Wrap, gateway: type[Gateway]) -> None:
    aware = wrap()
    push_metrics(aware, gateway.url, job="nightly", grouping={"instance": "a"}, every_s=3600)
    aware.generate()
    aware.close()
    (method, path, body), *more = gateway.got
    assert (method, path, more) == ("PUT", "/metrics/job/nightly/instance/a", [])
    assert 'sprout_like_requests_total{directive="full"' in body


@pytest.mark.parametrize("address", ["user:hunter2@127.0.0.1:9", "http://user:hunter2@127.0.0.1:9/x", "not a gateway"])
def test_a_gateway_that_is_away_breaks_nothing(wrap: Wrap, caplog: pytest.LogCaptureFixture, address: str) -> None:
    aware = wrap()
    push_metrics(aware, address)
    aware.generate()
    aware.close()
    assert caplog.text.count("metrics cannot be pushed") == 1
    assert "hunter2" not in caplog.text


SERVES = """
import os
from sprout_like import CarbonAware
from sprout_like.exports.prometheus import start_metrics
from sprout_like.testing import MemoryLedger, NullEngine
child = os.fork()
if child:
    os.waitpid(child, 0)
aware = CarbonAware(None, engine=NullEngine(), grid=100, ledger=MemoryLedger(), meter="none", policy="full")
metrics = start_metrics(aware, 0)
aware.generate()
metrics.refresh()
if not child:
    os._exit(0)
import httpx
print(httpx.get(metrics.url).text)
"""


def test_processes_of_one_folder_are_counted_together(tmp_path: Path) -> None:
    where = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", SERVES], capture_output=True, text=True, env=where, check=False)
    assert done.returncode == 0, done.stderr
    (requests,) = [line for line in done.stdout.splitlines() if line.startswith("sprout_like_requests_total{")]
    assert requests.endswith(" 2.0")
    assert "sprout_like_grid_intensity_grams_per_kwh" in done.stdout
