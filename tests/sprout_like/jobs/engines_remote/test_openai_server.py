"""The engine behind an HTTP server: what it sends, and what it makes of every fault."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from directives import Budget, Directive
from grid.testing.loopback import Answer, Asked
from sprout_like.errors import EngineUnavailable, SettingError
from sprout_like.jobs.engines.engine import Answered, Ask
from sprout_like.jobs.engines.openai_chat import posted
from sprout_like.jobs.engines.openai_server import OpenAIServer
from sprout_like.jobs.testing_server import ChatServer
from sprout_like.meters import UNKNOWN
from tests.contracts.batch_engine_cases.asking import POISON, SECRET, CountingWindow, ask

KEY = "sk-very-secret"

Open = Callable[..., OpenAIServer]


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer(poison=POISON) as server:
        yield server


@pytest.fixture
def engine() -> Iterator[Open]:
    """Makes an engine that does not really wait between its attempts, and closes it in the end."""
    with ExitStack() as stack:

        def make(server: ChatServer, model: str = "fake", **options: Any) -> OpenAIServer:
            made = OpenAIServer(f"{server.url}/v1", model, **{"sleep": lambda _wait_s: None, **options})
            stack.callback(made.close)
            return made

        yield make


def run(server: OpenAIServer, *asks: Ask) -> tuple[Answered, ...]:
    return server.run(asks, CountingWindow()).answers


@pytest.mark.parametrize(("at_once", "prompts"), [(16, 16), (64, 5), (3, 12)])
def test_the_prompts_of_a_batch_are_underway_at_once_up_to_the_bound(engine: Open, at_once: int, prompts: int) -> None:
    together = min(at_once, prompts)
    with ChatServer(hold=threading.Barrier(together, timeout=60).wait) as server:
        answers = run(engine(server, at_once=at_once), *(ask(str(n)) for n in range(prompts)))
        assert server.most_at_once == together
    assert all(answer.text for answer in answers)
    assert max(answer.batch_size for answer in answers) > 1


def test_what_is_sent_is_the_prompt_with_its_limit_and_the_arguments_that_the_api_knows(
    engine: Open, server: ChatServer
) -> None:
    brief = Directive(name="brief", instruction="Be brief.", budget=Budget(max_new_tokens=5))
    asked = ask(limit=9, directive=brief, temperature=0.5, top_p=0.9, stop_strings=["\n"], do_sample=True)
    with_template = Ask(
        messages=asked.messages, template={"enable_thinking": False}, arguments=asked.arguments, directive=brief
    )
    run(engine(server), with_template)
    assert server.posted[0] == {
        "model": "fake",
        "messages": [{"role": "system", "content": "You are terse.\n\nBe brief."}, dict(asked.messages[1])],
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["\n"],
        "stream": False,
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_no_sampling_is_temperature_zero(engine: Open, server: ChatServer) -> None:
    run(engine(server), ask(do_sample=False, temperature=0.7))
    assert server.posted[0]["temperature"] == 0


def test_an_argument_that_cannot_be_passed_on_is_never_left_out(engine: Open, server: ChatServer) -> None:
    openai, beams = engine(server), ask(num_beams=4)
    assert "num_beams" in (openai.refusal(beams.directive, beams) or "")
    answered, refused = run(openai, ask(), beams)
    assert answered.text
    assert refused.for_good
    assert "num_beams" in (refused.error or "")
    assert len(server.posted) == 1


@pytest.mark.parametrize(("reason", "read"), [("stop", "eos"), ("length", "length"), ("content_filter",) * 2])
def test_finish_reasons_are_ours_where_we_have_one(engine: Open, server: ChatServer, reason: str, read: str) -> None:
    openai = engine(server)
    openai.load()
    choice = {"message": {"content": "A."}, "finish_reason": reason}
    server.answer = Answer(json.dumps({"choices": [choice]}))
    (answer,) = run(openai, ask(stop_strings=None))
    assert (answer.text, answer.finish_reason) == ("A.", read)
    assert (answer.prompt_tokens, answer.new_tokens, answer.share) == (None, None, 1)


def test_a_stop_string_is_told_from_an_end_token_where_one_was_given(engine: Open, server: ChatServer) -> None:
    (answer,) = run(engine(server), ask(limit=500, stop_strings=["."]))
    assert answer.finish_reason == "stop"


@pytest.mark.parametrize("models", [("other", "another"), ()])
def test_an_unknown_model_is_told_at_loading_with_those_there_are(engine: Open, models: tuple[str, ...]) -> None:
    with ChatServer(models) as server, pytest.raises(EngineUnavailable, match="fake") as told:
        engine(server).load()
    assert all(model in str(told.value) for model in models)


def test_a_server_that_does_not_list_its_models_is_asked_for_a_token(engine: Open) -> None:
    with ChatServer(None) as server:
        engine(server).load()
        assert [posted["max_tokens"] for posted in server.posted] == [1]


def test_a_server_that_names_its_model_with_a_revision_has_it(engine: Open, server: ChatServer) -> None:
    listed = Answer(json.dumps({"data": [{"id": "something/else"}]}))
    token = {"model": "folder@main", "choices": [{"message": {"content": "A"}, "finish_reason": "length"}]}
    server.next_answers = [listed, Answer(json.dumps(token))]
    engine(server, "folder").load()


@pytest.mark.parametrize(
    ("status", "what_to_do"),
    [(401, "engine_key"), (402, "credit"), (403, "engine_key"), (404, "engine_url"), (307, "redirect")],
)
def test_a_refusal_of_every_prompt_makes_the_engine_unavailable(
    engine: Open, server: ChatServer, status: int, what_to_do: str
) -> None:
    openai = engine(server, key=KEY)
    openai.load()
    server.answer = Answer(f"no {KEY} {SECRET}", status=status, headers={"Location": "/elsewhere"})
    with pytest.raises(EngineUnavailable, match=what_to_do) as told:
        run(openai, ask(), ask("more"))
    assert KEY not in str(told.value)
    assert SECRET not in str(told.value)


def test_a_key_that_is_refused_in_the_middle_of_a_batch_leaves_what_was_answered(
    engine: Open, server: ChatServer
) -> None:
    openai = engine(server, at_once=1)
    openai.load()
    first = ask()
    server.next_answers = [server.truth(Asked("", {}, {}, json.dumps(posted(first, "fake"))))]
    server.answer = Answer("{}", status=401)
    answered, later = run(openai, first, ask("more"))
    assert answered.text
    assert later.error
    assert not later.for_good


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_prompt_that_is_refused_alone_is_its_own_fault_for_good(engine: Open, status: int) -> None:
    with ChatServer(poison=POISON, poison_status=status) as server:
        good, bad = run(engine(server), ask(), ask(POISON))
        (alone,) = run(engine(server), ask(POISON))
    assert good.text
    assert bad.for_good
    assert bad.error == alone.error == f"Rejected: it answered {status}"


def test_a_prompt_that_breaks_the_server_is_its_own_fault_but_may_be_tried_again(engine: Open) -> None:
    with ChatServer(poison=POISON, poison_status=500) as server:
        good, bad = run(engine(server), ask(), ask(POISON))
        (alone,) = run(engine(server), ask(POISON))
    assert good.text
    assert not bad.for_good
    assert "500" in (bad.error or "")
    assert "500" in (alone.error or "")
    assert POISON not in f"{bad.error}{alone.error}"


@pytest.mark.parametrize("status", [400, 500, 503])
def test_a_server_that_answers_nobody_is_unavailable(engine: Open, server: ChatServer, status: int) -> None:
    openai = engine(server)
    openai.load()
    server.answer = Answer("{}", status=status)
    with pytest.raises(EngineUnavailable):
        run(openai, ask(), ask("more"), ask(num_beams=4))


def test_a_server_that_is_not_there_is_unavailable(engine: Open) -> None:
    with ChatServer() as server:
        openai = engine(server)
        openai.load()
    with pytest.raises(EngineUnavailable, match="engine_url"):
        run(openai, ask())
    with pytest.raises(EngineUnavailable):
        openai.load()


def test_a_server_that_is_back_is_used_again(engine: Open, server: ChatServer) -> None:
    openai = engine(server)
    server.answer = Answer(status=503)
    with pytest.raises(EngineUnavailable):
        openai.load()
    server.answer = None
    assert run(openai, ask())[0].text


@pytest.mark.parametrize("fault", ["reset", "truncated"])
def test_a_broken_connection_is_tried_again(engine: Open, server: ChatServer, fault: Any) -> None:
    openai = engine(server)
    openai.load()
    server.next_answers = [Answer(delivery=fault)] * 2
    assert run(openai, ask())[0].text


def test_a_full_queue_is_waited_for_as_long_as_it_says(engine: Open, server: ChatServer) -> None:
    waits: list[float] = []
    openai = engine(server, sleep=waits.append)
    openai.load()
    server.next_answers = [Answer(status=429, headers={"Retry-After": "7"})] * 4
    assert run(openai, ask())[0].text
    assert len(waits) == 4
    assert min(waits) >= 7


def test_a_server_that_does_not_answer_in_time_is_unavailable(engine: Open, server: ChatServer) -> None:
    openai = engine(server, timeout_s=0.05)
    openai.load()
    server.answer = Answer(delivery="silent")
    with pytest.raises(EngineUnavailable, match=r"0\.05 s"):
        run(openai, ask())


def test_what_is_no_completion_is_an_error_of_its_prompt(engine: Open, server: ChatServer) -> None:
    openai = engine(server, at_once=1)
    openai.load()
    server.next_answers = [Answer('{"choices": []}'), Answer("<html>")]
    odd, worse, good = run(openai, ask(), ask("b"), ask("c"))
    assert odd.error
    assert worse.error
    assert good.text


@pytest.mark.parametrize("document", ['{"choices": []}', "{}", "[1]"])
def test_a_server_whose_answers_are_no_completions_is_unavailable(
    engine: Open, server: ChatServer, document: str
) -> None:
    openai = engine(server)
    openai.load()
    server.answer = Answer(document)
    with pytest.raises(EngineUnavailable, match=r"no chat completion\. Check engine_url"):
        run(openai, ask(), ask("more"))
    server.answer = None
    assert run(openai, ask())[0].text


def test_an_interrupt_does_not_wait_for_the_server(engine: Open, server: ChatServer) -> None:
    openai = engine(server, timeout_s=3_600)
    openai.load()
    server.answer = Answer(delivery="silent")

    def interrupt() -> None:
        while len(server.posted) < 2:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        run(openai, ask(), ask("more"))
    interrupting.join()


def test_an_instruction_is_tried_out_once_with_nobodys_text(engine: Open, server: ChatServer) -> None:
    brief = Directive(name="brief", instruction="Be very brief.")
    openai = engine(server)
    for topic in "abc":
        assert openai.refusal(brief, ask(topic)) is None
    assert len(server.posted) == 2
    assert SECRET not in json.dumps(server.posted)
    (answer,) = run(openai, ask(directive=brief))
    assert answer.instruction_tokens == 3


def test_a_template_without_system_turn_refuses_instructions(engine: Open) -> None:
    brief = Directive(name="brief", instruction="Be very brief.")
    with ChatServer(template_has_system=False) as server:
        assert "system turn" in (engine(server).refusal(brief, ask()) or "")
    with ChatServer(poison="very brief") as server:
        assert "system turn" in (engine(server).refusal(brief, ask()) or "")


def test_energy_is_estimated_by_the_tokens_written_and_unknown_without_a_figure(
    engine: Open, server: ChatServer
) -> None:
    asks = [ask(limit=3), ask("more", limit=4), ask(POISON)]
    energy = engine(server, j_per_token=2.0).run(asks, CountingWindow()).energy
    assert energy is not None
    assert (energy.energy_j, energy.method) == (14, "estimated")
    assert engine(server).run(asks, CountingWindow()).energy == UNKNOWN


def test_a_local_server_is_metered_by_the_callers_window(engine: Open, server: ChatServer) -> None:
    local = engine(server, host_devices=("cpu", "GPU-1"), j_per_token=2.0)
    assert local.devices() == ("cpu", "GPU-1")
    assert local.run([ask()], CountingWindow()).energy is None
    for url in ("http://localhost:1/v1", "http://[::1]:1/v1", "http://127.0.0.2:1"):
        assert OpenAIServer(url, "m", host_devices=("cpu",)).devices() == ("cpu",)
    for url in ("http://192.0.2.1/v1", "https://models.example/v1"):
        assert OpenAIServer(url, "m", host_devices=("cpu",)).devices() is None


@pytest.mark.parametrize(
    ("url", "key"),
    [("ftp://host/v1", None), (f"http://user:{KEY}@host/v1", None), ("nothing", None), ("http://host/v1", f"{KEY}\n")],
)
def test_what_cannot_be_used_is_told_at_once_and_without_secrets(url: str, key: str | None) -> None:
    with pytest.raises(SettingError, match="engine_") as told:
        OpenAIServer(url, "m", key=key)
    assert KEY not in str(told.value)
    assert KEY not in repr(told.value)


def test_the_key_is_sent_and_shown_nowhere(engine: Open, server: ChatServer) -> None:
    openai = engine(server, key=KEY)
    run(openai, ask())
    assert {asked.headers["authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert KEY not in repr(openai)
