"""From the name of an engine to the engine, and what is said where that cannot be."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sprout_like.errors import SettingError
from sprout_like.jobs.engines.counters import whole_machine
from sprout_like.jobs.engines.opening import ENGINES, open_batch_engine
from sprout_like.jobs.testing_server import ChatServer
from sprout_like.meters.testing import fake_device
from sprout_like.settings import Settings

PROCESS = fake_device("cpu:process", method="estimated")
PACKAGE = fake_device("rapl:package-0", method="apportioned")
DRAM = fake_device("rapl:dram-0", component="dram", method="apportioned")
GPU = fake_device("GPU-1", component="gpu")


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(("one", "two")) as server:
        yield server


def settings(**given: object) -> Settings:
    return Settings.load(**{"meter": "none", **given})


@pytest.mark.parametrize(("kind", "hint"), [("padde", "'padded'"), ("opena1", "'openai'"), ("vllm", "auto, padded")])
def test_an_unknown_engine_is_told_with_what_there_is(kind: str, hint: str) -> None:
    with pytest.raises(SettingError, match=hint):
        open_batch_engine(kind, model=None, settings=settings())


@pytest.mark.parametrize("kind", ["auto", "padded", "continuous"])
def test_engines_in_this_process_have_the_models_name_and_load_nothing_yet(kind: str) -> None:
    engine = open_batch_engine(kind, model="no/such/folder", settings=settings())
    assert engine.model == "no/such/folder"
    assert engine.name in ENGINES


def test_a_server_needs_an_address() -> None:
    with pytest.raises(SettingError, match="engine_url"):
        open_batch_engine("openai", model="one", settings=settings())


def test_a_server_is_asked_with_the_settings_key(server: ChatServer) -> None:
    engine = open_batch_engine("openai", model="one", settings=settings(engine_url=f"{server.url}/v1", engine_key="k"))
    engine.load()
    engine.close()
    assert engine.model == "one"
    assert server.asked[0].headers["authorization"] == "Bearer k"


def test_the_only_model_of_a_server_need_not_be_named(server: ChatServer) -> None:
    with ChatServer(("only",)) as single:
        engine = open_batch_engine("openai", model=None, settings=settings(engine_url=f"{single.url}/v1"))
    assert engine.model == "only"
    with pytest.raises(SettingError, match="one, two"):
        open_batch_engine("openai", model=None, settings=settings(engine_url=f"{server.url}/v1"))
    with ChatServer(None) as silent, pytest.raises(SettingError, match="does not say"):
        open_batch_engine("openai", model=None, settings=settings(engine_url=f"{silent.url}/v1"))


@pytest.mark.parametrize(
    ("devices", "counted"),
    [
        ([], ()),
        ([PROCESS], ()),
        ([PACKAGE, DRAM], ("cpu",)),
        ([GPU, PROCESS], ("GPU-1",)),
        ([GPU, PACKAGE], ("cpu", "GPU-1")),
    ],
    ids=str,
)
def test_a_local_server_is_metered_only_by_what_counts_other_processes_too(
    devices: list[object], counted: tuple[str, ...]
) -> None:
    assert whole_machine(devices) == counted  # type: ignore[arg-type]


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="pip install 'sprout-like[ray]'")
def test_a_pool_is_opened_without_a_cluster() -> None:
    engine = open_batch_engine("ray", model="some/model", settings=settings())
    assert (engine.name, engine.model, engine.devices()) == ("ray", "some/model", None)
    engine.close()


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="pip install 'sprout-like[ray]'")
def test_a_pool_is_where_and_as_large_as_the_settings_say() -> None:
    engine = open_batch_engine("ray", model="some/model", settings=settings(ray_address="ray://there:1", ray_actors=3))
    assert (engine._address, engine._actors_n) == ("ray://there:1", 3)  # type: ignore[attr-defined]
    engine.close()


def test_opening_imports_no_engine_that_was_not_asked_for() -> None:
    script = (
        "import sys; import sprout_like.jobs.engines.opening, sprout_like.jobs.testing\n"
        "print(*[m for m in ('torch', 'transformers', 'ray', 'httpx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
