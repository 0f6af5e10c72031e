"""An endpoint that does everything wrong that endpoints do."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from grid.testing.loopback import Answer, Delivery
from sprout_like.errors import JudgeError
from sprout_like.judges.answerer import Reply
from sprout_like.judges.endpoint import Endpoint
from sprout_like.judges.judge import Case
from sprout_like.judges.rotation import ModelJudge
from sprout_like.judges.testing import ChatLoopback, completion
from sprout_like.testing import ManualClock

KEY = "sk-0123456789"
PRIVATE = "what nobody is to read"
ASKED = [{"role": "user", "content": PRIVATE}]


class _Waits(list[float]):
    def sleep(self, wait_s: float) -> None:
        self.append(wait_s)


@pytest.fixture
def server() -> Iterator[ChatLoopback]:
    with ChatLoopback() as running:
        running.answer = completion("1")
        yield running


@pytest.fixture
def waits() -> _Waits:
    return _Waits()


@pytest.fixture
def endpoint(server: ChatLoopback, waits: _Waits) -> Endpoint:
    return Endpoint("m", f"{server.url}/v1", key=KEY, sleep=waits.sleep)


def limited(server: ChatLoopback, timeout_s: float = 0.1) -> Endpoint:
    return Endpoint("m", server.url, key=KEY, timeout_s=timeout_s, sleep=lambda _s: None)


def refusal(parameter: str) -> Answer:
    return Answer(json.dumps({"error": {"message": PRIVATE, "param": parameter}}), status=400)


def test_what_is_asked(endpoint: Endpoint, server: ChatLoopback) -> None:
    reply = endpoint.answer(ASKED)
    assert (reply.text, reply.reason) == ("1", None)
    assert server.paths == ["/v1/chat/completions"]
    assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.posted == [{"model": "m", "messages": ASKED, "max_tokens": 16, "temperature": 0}]


def test_without_a_key_none_is_sent(server: ChatLoopback) -> None:
    assert Endpoint("m", server.url).answer(ASKED).text == "1"
    assert "authorization" not in server.asked[0].headers


def test_energy_is_unknown_unless_it_is_given_per_token(server: ChatLoopback) -> None:
    unknown, known = Endpoint("m", server.url), Endpoint("m", server.url, j_per_token=0.5)
    assert (unknown.answer(ASKED).cost.energy_j, unknown.answer(ASKED).cost.tokens) == (None, 100)
    cost = known.answer(ASKED).cost
    assert (cost.energy_j, cost.method) == (50, "estimated")


@pytest.mark.parametrize("usage", [None, {}, [], {"total_tokens": None}, {"total_tokens": -1}, {"total_tokens": True}])
def test_usage_that_is_not_told_is_unknown(server: ChatLoopback, usage: object) -> None:
    server.answer = Answer(json.dumps({**json.loads(completion("1").body), "usage": usage}))
    cost = Endpoint("m", server.url, j_per_token=0.5).answer(ASKED).cost
    assert (cost.tokens, cost.energy_j, cost.method) == (None, None, "none")


@pytest.mark.parametrize("status", [301, 307, 401, 402, 403, 404, 405])
def test_what_would_meet_every_question_ends_the_judging(endpoint: Endpoint, server: ChatLoopback, status: int) -> None:
    server.answer = Answer(PRIVATE, status=status, headers={"Location": f"{server.url}/elsewhere"})
    with pytest.raises(JudgeError, match=rf"^endpoint:m: .*{status}.*(judge_url|judge_key|credit)"):
        endpoint.answer(ASKED)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_refused_question_is_dropped(endpoint: Endpoint, server: ChatLoopback, status: int) -> None:
    server.next_answers = [Answer(PRIVATE, status=status)]
    assert endpoint.answer(ASKED).reason == f"endpoint:m: it answered {status} to this question"
    assert endpoint.answer(ASKED).text == "1"


@pytest.mark.parametrize("fault", [Answer(status=500), Answer(status=429), Answer("{", delivery="truncated")])
def test_a_fault_that_passes_is_not_seen(endpoint: Endpoint, server: ChatLoopback, fault: Answer) -> None:
    server.next_answers = [fault, Answer(delivery="reset")]
    assert endpoint.answer(ASKED).text == "1"
    assert len(server.asked) == 3


def test_a_retry_after_is_waited_for(endpoint: Endpoint, server: ChatLoopback, waits: _Waits) -> None:
    server.next_answers = [Answer(status=429, headers={"Retry-After": "7"})]
    assert endpoint.answer(ASKED).text == "1"
    assert waits == [7]


def test_rate_limits_are_waited_for_as_long_as_there_is_time(server: ChatLoopback) -> None:
    clock = ManualClock()
    endpoint = Endpoint("m", server.url, monotonic_s=clock.monotonic_s, sleep=clock.advance)
    server.next_answers = [Answer(status=429, headers={"Retry-After": "30"})] * 5
    assert endpoint.answer(ASKED).text == "1"
    assert clock.monotonic_s() >= 150

    server.answer = Answer(status=429, headers={"Retry-After": "30"})
    with pytest.raises(JudgeError, match=r"429.*Judge again in 30 s"):
        endpoint.answer(ASKED)
    assert clock.monotonic_s() < 2 * 180


def test_a_fault_after_rate_limits_drops_the_case(server: ChatLoopback) -> None:
    clock = ManualClock()
    endpoint = Endpoint("m", server.url, monotonic_s=clock.monotonic_s, sleep=clock.advance)
    server.next_answers = [Answer(status=429, headers={"Retry-After": "1"})] * 4
    server.answer = Answer(status=500)
    assert "500" in (endpoint.answer(ASKED).reason or "")


def test_a_retry_after_beyond_the_limit_ends_the_judging(endpoint: Endpoint, server: ChatLoopback) -> None:
    server.answer = Answer(status=429, headers={"Retry-After": "3600"})
    with pytest.raises(JudgeError, match=r"429.*Judge again in 3600 s"):
        endpoint.answer(ASKED)


DELIVERIES: list[Delivery] = ["silent", "drip", "drip-header", "empty-gzip"]


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_an_answer_that_does_not_come_is_given_up(server: ChatLoopback, delivery: Delivery) -> None:
    server.answer = Answer(delivery=delivery)
    reply = limited(server).answer(ASKED)
    assert reply.text is None
    assert "no whole answer" in (reply.reason or "")


def test_an_endpoint_that_stays_down_ends_the_judging(endpoint: Endpoint, server: ChatLoopback) -> None:
    server.answer = Answer(status=500)
    assert [endpoint.answer(ASKED).text for _ in range(3)] == [None] * 3
    asked = len(server.asked)
    with pytest.raises(JudgeError, match="down lately"):
        endpoint.answer(ASKED)
    assert len(server.asked) == asked


@pytest.mark.parametrize("body", ["{", "<html>not found</html>", "", "[" * 100_000])
def test_what_is_no_json_is_dropped(endpoint: Endpoint, server: ChatLoopback, body: str) -> None:
    server.answer = Answer(body)
    assert "not JSON" in (endpoint.answer(ASKED).reason or "")


def test_a_huge_body_is_dropped(endpoint: Endpoint, server: ChatLoopback) -> None:
    server.answer = Answer(" " * 20_000_001)
    assert "more than" in (endpoint.answer(ASKED).reason or "")


ODD = [
    *("null", "[]", "3", '"1"', "{}", '{"choices": []}', '{"choices": {}}', '{"choices": [null]}'),
    *('{"choices": [{"message": "1"}]}', '{"choices": [{"text": "1"}]}'),
    completion(None).body,
    completion(None, refusal="I cannot compare these").body,
    completion(1).body,
    completion({"text": "1"}).body,
    completion([{"type": "image_url"}]).body,
]


@pytest.mark.parametrize("body", ODD)
def test_an_answer_without_words_is_nonsense(endpoint: Endpoint, server: ChatLoopback, body: str) -> None:
    server.answer = Answer(body)
    assert endpoint.answer(ASKED).text == ""
    ruling = ModelJudge(endpoint).rule(Case(messages=ASKED, answer="a", full_answer="b"))
    assert ruling.score is None
    assert len(server.asked) == 1 + 3


def test_words_in_parts_are_put_together(endpoint: Endpoint, server: ChatLoopback) -> None:
    server.answer = completion([{"type": "text", "text": "TI"}, None, {"type": "text", "text": "E"}])
    assert endpoint.answer(ASKED).text == "TIE"


@pytest.mark.parametrize(
    ("parameters", "left"),
    [
        (["max_tokens"], {"max_completion_tokens": 16, "temperature": 0}),
        (["max_tokens", "temperature"], {"max_completion_tokens": 16}),
    ],
)
def test_parameters_that_a_model_does_not_take_are_left_out(
    endpoint: Endpoint, server: ChatLoopback, parameters: list[str], left: dict[str, int]
) -> None:
    server.next_answers = [refusal(parameter) for parameter in parameters]
    assert endpoint.answer(ASKED).text == "1"
    endpoint.answer(ASKED)
    expected = {"model": "m", "messages": ASKED, **left}
    assert server.posted[-2:] == [expected, expected]


def test_a_parameter_refused_for_ever_is_not_argued_about(endpoint: Endpoint, server: ChatLoopback) -> None:
    server.answer = refusal("temperature")
    assert endpoint.answer(ASKED).text is None
    assert len(server.asked) == 2


@pytest.mark.parametrize("words", [None, "", "<think>The first one"])
def test_a_model_that_thinks_gets_room(endpoint: Endpoint, server: ChatLoopback, words: str | None) -> None:
    cut = json.loads(completion(words).body)
    cut["choices"][0]["finish_reason"] = "length"
    server.next_answers = [Answer(json.dumps(cut))]
    ruling = ModelJudge(endpoint).rule(Case(messages=ASKED, answer="a", full_answer="b"))
    assert ruling.score == 0.5
    assert [posted["max_tokens"] for posted in server.posted] == [16, 4096, 4096]
    assert ruling.cost.tokens == 300


FAULTS = [
    *(Answer(f"{PRIVATE} {KEY}", status=status) for status in (302, 400, 401, 404, 429, 500)),
    Answer(f"{PRIVATE} {KEY}"),
    Answer(f"{PRIVATE} {KEY}", status=429, headers={"Retry-After": "9999"}),
    Answer(PRIVATE, delivery="truncated"),
    completion(f"{PRIVATE} {KEY}"),
]


@pytest.mark.parametrize("fault", FAULTS)
def test_neither_key_nor_text_is_told(
    endpoint: Endpoint, server: ChatLoopback, fault: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = fault
    with caplog.at_level(logging.DEBUG):
        try:
            reply: Reply | None = endpoint.answer(ASKED)
            said = ""
        except JudgeError as exc:
            reply, said = None, "".join(traceback.format_exception(exc))
    told = f"{caplog.text} {endpoint!r} {reply!r} {said}"
    assert KEY not in told
    assert PRIVATE not in told
