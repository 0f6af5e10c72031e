"""The engine against a real `transformers serve`, which answers with a tiny model of random weights."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from directives import FULL, Budget, Directive
from sprout_like.errors import EngineUnavailable
from sprout_like.jobs.engines.engine import Ask
from sprout_like.jobs.engines.openai_server import OpenAIServer
from tests.contracts.batch_engine_cases.asking import CountingWindow, ask
from tests.contracts.batch_engine_cases.tiny import tiny_model

pytestmark = pytest.mark.model

TOPICS = ("rain", "the tide of a river far away", "moss", "why leaves are green", "stone", "wind and sun")
LIMITS = (3, 12, 1, 7, 5, 9)

# A cache of the size that it would choose itself takes minutes to be set up on a CPU.
_CONTINUOUS = ("--continuous-batching", "--cb-num-blocks", "64", "--cb-max-batch-tokens", "512")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as files."""
    folder = tmp_path_factory.mktemp("tiny")
    for part in tiny_model():
        part.save_pretrained(folder)
    return folder


@contextmanager
def serving(folder: Path, log: Path, *options: str) -> Iterator[str]:
    """Start the server on a free port, wait until it answers, and end it; gives its URL."""
    pytest.importorskip("fastapi", reason="pip install 'transformers[serving]'")
    pytest.importorskip("uvicorn", reason="pip install 'transformers[serving]'")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(folder), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(log.parent), "OMP_NUM_THREADS": "1"}
    with (
        log.open("wb") as written,
        subprocess.Popen(
            [*command, "--port", str(port), "--host", "127.0.0.1", *options],
            env=environment,
            stdout=written,
            stderr=subprocess.STDOUT,
        ) as server,
    ):
        try:
            while not _listens(port):
                assert server.poll() is None, log.read_text()
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["one by one", "continuous batching"])
def engine(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenAIServer]:
    options = () if request.param == "one by one" else _CONTINUOUS
    with serving(folder, tmp_path_factory.mktemp("serve") / "log", *options) as url:
        engine = OpenAIServer(url, str(folder), j_per_token=0.5)
        yield engine
        engine.close()


def asks(directive: Directive = FULL) -> list[Ask]:
    return [ask(topic, limit, directive, do_sample=False) for topic, limit in zip(TOPICS, LIMITS, strict=True)]


def test_its_model_is_found_though_it_does_not_list_it(engine: OpenAIServer) -> None:
    engine.load()


def test_answers_come_in_order_each_within_its_limit(engine: OpenAIServer) -> None:
    alone = [engine.run([each], CountingWindow()).answers[0] for each in asks()]
    outcome = engine.run(asks(), CountingWindow())
    assert [answer.text for answer in outcome.answers] == [answer.text for answer in alone]
    assert [answer.limit_tokens for answer in outcome.answers] == list(LIMITS)
    assert all(1 <= a.new_tokens <= limit for a, limit in zip(outcome.answers, LIMITS, strict=True))
    assert sum(answer.share for answer in outcome.answers) == pytest.approx(1)
    assert outcome.energy is not None
    assert outcome.energy.energy_j == 0.5 * sum(answer.new_tokens or 0 for answer in outcome.answers)


def test_an_instruction_adds_the_tokens_that_it_is_said_to(engine: OpenAIServer) -> None:
    brief = Directive(name="brief", instruction="Answer in one short sentence.", budget=Budget(max_new_tokens=2))
    assert engine.refusal(brief, asks()[0]) is None
    plain = engine.run(asks(), CountingWindow()).answers
    told = engine.run(asks(brief), CountingWindow()).answers
    assert [answer.prompt_tokens for answer in told] == [answer.prompt_tokens for answer in plain]
    added = len(tiny_model()[1].encode(f"\n\n{brief.instruction}", add_special_tokens=False))
    assert {answer.instruction_tokens for answer in told} == {added}
    assert max(answer.new_tokens or 0 for answer in told) == 2


def test_an_unknown_model_is_told_at_loading(engine: OpenAIServer, folder: Path) -> None:
    other = OpenAIServer(engine._url, str(folder / "none"))
    with pytest.raises(EngineUnavailable, match=re.escape(str(folder / "none"))):
        other.load()
    other.close()
