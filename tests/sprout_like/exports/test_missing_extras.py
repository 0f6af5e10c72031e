"""A library that is missing is one line with what to install; one that is there is loaded when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

WRAP = """
from sprout_like import CarbonAware
from sprout_like.testing import MemoryLedger, NullEngine
aware = CarbonAware(None, engine=NullEngine(), grid=100, ledger=MemoryLedger(), meter="none", policy="full")
"""
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"prometheus_client", "opentelemetry", "pandas"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from sprout_like.errors import SettingError
def said(call):
    try: call()
    except SettingError as exc: print(exc)
"""
LIBRARIES = ("prometheus_client", "opentelemetry", "pandas")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_missing_is_named_with_the_command_that_installs_it(tmp_path: object) -> None:
    printed = run(
        WITHOUT
        + WRAP
        + f"""
from sprout_like.exports.prometheus import push_metrics, start_metrics
from sprout_like.exports.otel import export_otel, export_otlp
from sprout_like.ledger import open_ledger, query
open_ledger({str(tmp_path)!r} + "/l.sqlite", spool_path={str(tmp_path)!r} + "/s.sqlite").close()
said(lambda: start_metrics(aware, 0))
said(lambda: push_metrics(aware, "localhost:9091"))
said(lambda: export_otlp(aware))
said(lambda: export_otel(aware, tracer_provider=object()))
said(lambda: query({str(tmp_path)!r} + "/l.sqlite").requests().frame())
aware.generate()
aware.close()
"""
    )
    lines = printed.splitlines()
    assert len(lines) == 5
    for line, extra in zip(lines, ("prometheus", "prometheus", "otel", "otel", "pandas"), strict=True):
        assert line.endswith(f'cannot be imported. pip install "sprout-like[{extra}]"')


@pytest.mark.parametrize(
    "code",
    [
        "import sprout_like, sprout_like.cli.main",
        "import sprout_like.middleware, sprout_like.ledger, sprout_like.exports.logs",
        "import sprout_like.exports.prometheus, sprout_like.exports.otel, sprout_like.exports.codecarbon",
        WRAP + "aware.generate(); aware.close()",
    ],
    ids=["command", "middleware", "exports", "a request"],
)
def test_nothing_of_an_extra_is_loaded_before_it_is_used(code: str) -> None:
    print_loaded = f"\nimport sys\nprint(*[name for name in {LIBRARIES!r} if name in sys.modules])"
    assert run(code + print_loaded).split() == []
