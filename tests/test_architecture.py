"""The import rule of the three packages, by syntax tree and in a fresh interpreter, and the size of modules."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("directives", "grid", "sprout_like")

ALLOWED = {"grid": {"filelock", "httpcore", "httpx", "numpy", "scipy"}, "directives": {"highspy", "numpy", "scipy"}}
# What comes with an extra is imported in one file.
EXTRAS = {"grid/sources/trace_parquet.py": {"pyarrow"}}

# Each heavy library, and the folders that are about it.
HOMES = {
    "torch": {"engines", "knobs", "demo", "doctor", "reuse", "calibrate", "jobs/engines"},
    "transformers": {"engines", "knobs", "demo", "doctor", "reuse", "calibrate", "jobs/engines"},
    "pynvml": {"meters"},
    "psutil": {"calibrate", "engines", "meters"},
    "sqlalchemy": {
        "ledger",
        "reports",
        "doctor",
        "cli",
        "reuse",
        "calibrate",
        "evaluating",
        "choosing",
        "classes",
        "tuning",
        "jobs/queue",
        "exports/codecarbon",
        "dashboard",
    },
    "alembic": {"ledger"},
    "sqlite3": {"ledger"},
    "apscheduler": {"", "jobs/submitting"},
    "httpx": {"jobs/engines"},
    "ray": {"jobs/engines"},
    "pydantic": {""},
    "rich": {"cli", "reports", "demo", "calibrate", "evaluating", "classes", "tuning", "jobs/simulating"},
    "typer": {"cli"},
    "starlette": {"dashboard"},
    "uvicorn": {"dashboard"},
    "prometheus_client": {"exports/prometheus"},
    "opentelemetry": {"exports/otel"},
    "pandas": {"ledger/querying"},
    "pyarrow": {"replay", "reports/formats"},
    "matplotlib": {"calibrate", "tuning", "replay", "reports/html"},
    "jinja2": {"knobs", "reports/html"},
}

MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT).parts[0] in ALLOWED], ids=name)
def test_grid_and_directives_know_only_themselves(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    allowed = ALLOWED[package] | EXTRAS.get(name(path), set())
    foreign = imports(path) - set(sys.stdlib_module_names) - {package} - allowed
    assert not foreign


def test_directives_know_no_clock_no_global_randomness_and_no_network() -> None:
    found = set().union(*(imports(path) for path in MODULES if path.relative_to(ROOT).parts[0] == "directives"))
    assert not found & {"random", "time", "datetime", "socket", "http", "urllib", "asyncio", "secrets"}


@pytest.mark.parametrize("path", [p for p in MODULES if p.relative_to(ROOT).parts[0] == "sprout_like"], ids=name)
def test_heavy_libraries_stay_in_the_folders_about_them(path: Path) -> None:
    parts = path.relative_to(ROOT / "sprout_like").parts
    folders = {"/".join(parts[:depth]) for depth in range(min(1, len(parts) - 1), len(parts))}
    astray = {library for library in imports(path) & set(HOMES) if not folders & HOMES[library]}
    assert not astray


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("grid", ("torch", "httpcore", "httpx", "numpy", "sqlalchemy", "sprout_like", "directives")),
        ("directives", ("torch", "httpx", "numpy", "sqlalchemy", "sprout_like", "grid")),
        ("sprout_like", ("torch", "transformers", "sqlalchemy", "alembic", "apscheduler", "pydantic", "pynvml")),
        ("sprout_like.cli.commands", ("torch", "transformers", "sqlalchemy", "alembic", "apscheduler", "pynvml")),
        ("sprout_like.middleware", ("torch", "transformers", "alembic", "apscheduler", "pynvml", "psycopg")),
    ],
)
def test_importing_loads_nothing_heavy(module: str, absent: tuple[str, ...]) -> None:
    script = f"import sys; import {module}; print(*[m for m in {absent!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


@pytest.mark.parametrize("package", PACKAGES)
def test_the_public_surface_is_complete(package: str) -> None:
    script = (
        f"import {package} as p\n"
        "assert len(p.__all__) == len(set(p.__all__))\n"
        "assert all(getattr(p, n) is not None for n in p.__all__)\n"
        "try: p.no_such_name\n"
        "except AttributeError as exc: assert 'no_such_name' in str(exc)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_modules_stay_readable(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_no_module_runs_code_at_import() -> None:
    """No module configures logging or does anything else by a bare call when it is imported."""
    guilty = {
        name(path)
        for path in MODULES
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    }
    # A Typer application is put together by calls; Alembic executes its environment.
    assert guilty == {
        "sprout_like/cli/jobs/commands.py",
        "sprout_like/cli/commands.py",
        "sprout_like/ledger/migrations/env.py",
    }
