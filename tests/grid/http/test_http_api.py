"""What one question to an API does: retries, time limits, one new login, and no word of the key."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from grid import BadData, NoData, SourceDown, SourceError, SourceRefused
from grid.http.api import HttpApi
from grid.http.credentials import BasicLogin, HeaderKey, LoginToken, NoKey, QueryKey
from grid.http.retrying import Retrying
from grid.testing import Answer, Asked, Loopback, ManualClock

SECRET = "key+9/c41=="
DOWN = Answer('{"error": "busy"}', status=503)


class _Echo(Loopback):
    """Answers `{}`."""

    def truth(self, asked: Asked) -> Answer:
        return Answer("{}")


class _Steps:
    """A monotonic clock that the waiting moves on; remembers the waits."""

    def __init__(self, per_look_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []
        self._per_look_s = per_look_s

    def __call__(self) -> float:
        self.now_s += self._per_look_s
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_s += seconds


@pytest.fixture
def server() -> Iterator[_Echo]:
    with _Echo() as running:
        yield running


@pytest.fixture
def steps() -> _Steps:
    return _Steps()


@pytest.fixture
def api(server: _Echo, steps: _Steps) -> Iterator[HttpApi]:
    made = HttpApi(
        base_url=server.url,
        name="src",
        timeout_s=10,
        now_utc=ManualClock(),
        retrying=Retrying(attempts=4, first_wait_s=1, longest_wait_s=100),
        monotonic_s=steps,
        sleep=steps.sleep,
        uniform=lambda: 0.5,
    )
    yield made
    made.close()


def test_what_is_told_of_a_failure_counts_the_attempts(api: HttpApi, server: _Echo) -> None:
    server.answer = DOWN
    with pytest.raises(SourceDown, match=r"answered 503 .*, asked 4 times$"):
        api.get("/x")


def test_a_fault_that_passes_is_not_seen(api: HttpApi, server: _Echo, steps: _Steps) -> None:
    server.next_answers = [DOWN, Answer(delivery="reset"), Answer("{", delivery="truncated")]
    assert api.get_json("/x") == {}
    assert len(server.asked) == 4
    assert steps.waits == [0.5, 1, 2]


def test_a_fault_that_stays_is_asked_about_so_often_and_no_more(api: HttpApi, server: _Echo) -> None:
    server.answer = DOWN
    with pytest.raises(SourceDown, match=r"^src: /x answered 503"):
        api.get("/x")
    assert len(server.asked) == 4


def test_a_retry_after_is_waited_for(api: HttpApi, server: _Echo, steps: _Steps) -> None:
    server.next_answers = [Answer(status=429, headers={"Retry-After": "7"})]
    api.get("/x")
    assert steps.waits == [7]


def test_a_retry_after_beyond_the_time_limit_is_passed_on_and_kept_to(api: HttpApi, server: _Echo) -> None:
    server.next_answers = [Answer(status=429, headers={"Retry-After": "3600"})]
    for _ in range(2):
        with pytest.raises(SourceDown) as caught:
            api.get("/x")
        assert caught.value.retry_after_s == 3600
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(status=400), SourceError),
        (Answer(status=401), SourceRefused),
        (Answer(status=403), SourceRefused),
        (Answer(status=404), NoData),
        (Answer("nonsense"), BadData),
    ],
)
def test_what_asking_again_cannot_help_is_asked_once(
    api: HttpApi, server: _Echo, answer: Answer, error: type[SourceError]
) -> None:
    server.answer = answer
    for _ in range(5):  # and it does not open the breaker: the source is there
        with pytest.raises(error):
            api.get_json("/x")
    assert len(server.asked) == 5


def test_a_source_that_is_down_is_left_alone_after_three_questions(server: _Echo) -> None:
    clock = ManualClock()
    api = HttpApi(base_url=server.url, name="src", timeout_s=10, now_utc=clock, retrying=Retrying(attempts=1))
    server.answer = DOWN
    for _ in range(6):
        with pytest.raises(SourceDown):
            api.get("/x")
    assert len(server.asked) == 3
    server.answer = None
    clock.advance(31)
    assert api.get_json("/x") == {}
    api.close()


def test_attempts_end_with_the_time_limit(server: _Echo) -> None:
    steps = _Steps(per_look_s=4)
    api = HttpApi(
        base_url=server.url,
        name="src",
        timeout_s=10,
        now_utc=ManualClock(),
        retrying=Retrying(attempts=1_000, first_wait_s=0),
        monotonic_s=steps,
        sleep=steps.sleep,
    )
    server.answer = DOWN
    with pytest.raises(SourceDown):
        api.get("/x")
    assert len(server.asked) <= 30 / 4
    api.close()


def test_a_body_that_does_not_end_is_left_by_the_injected_clock(server: _Echo) -> None:
    steps = _Steps(per_look_s=4)
    api = HttpApi(
        base_url=server.url,
        name="src",
        timeout_s=10,
        now_utc=ManualClock(),
        retrying=Retrying(attempts=1),
        monotonic_s=steps,
    )
    server.answer = Answer("{", delivery="drip")
    with pytest.raises(SourceDown, match=r"no whole answer from 127\.0\.0\.1 within 10 s"):
        api.get("/x")
    api.close()


def test_closing_ends_a_wait(server: _Echo) -> None:
    waits = threading.Event()
    server.answer = Answer(status=503, headers={"Retry-After": "60"})

    def drawn() -> float:
        waits.set()
        return 0.5

    api = HttpApi(base_url=server.url, name="src", timeout_s=100, now_utc=ManualClock(), uniform=drawn)
    errors: list[SourceError] = []

    def ask() -> None:
        try:
            api.get("/x")
        except SourceError as exc:
            errors.append(exc)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert waits.wait(20)
    thread.join(0.05)
    assert thread.is_alive()
    api.close()
    thread.join(20)
    assert not thread.is_alive()
    assert errors


def _with_login(server: Loopback, tokens: list[str]) -> HttpApi:
    login = BasicLogin("user-7", SECRET)
    credentials = LoginToken(login, lambda: tokens.pop(0), valid=timedelta(minutes=27), now_utc=ManualClock())
    return HttpApi(base_url=server.url, name="src", timeout_s=10, now_utc=ManualClock(), credentials=credentials)


def test_a_refused_token_is_renewed_once(server: _Echo) -> None:
    api = _with_login(server, ["one", "two"])
    server.next_answers = [Answer(status=401)]
    assert api.get_json("/x") == {}
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer one", "Bearer two"]
    api.close()


def test_a_token_that_is_refused_again_is_refused(server: _Echo) -> None:
    api = _with_login(server, ["one", "two", "three"])
    server.answer = Answer(status=401)
    with pytest.raises(SourceRefused, match=r"^src: /x answered 401"):
        api.get("/x")
    assert len(server.asked) == 2
    api.close()


def test_a_key_that_cannot_be_renewed_is_sent_once(server: _Echo) -> None:
    api = HttpApi(
        base_url=server.url,
        name="src",
        timeout_s=10,
        now_utc=ManualClock(),
        credentials=HeaderKey("auth-token", SECRET),
    )
    server.answer = Answer(status=401)
    with pytest.raises(SourceRefused):
        api.get("/x")
    assert [asked.headers["auth-token"] for asked in server.asked] == [SECRET]
    api.close()


@pytest.mark.parametrize(
    "credentials", [HeaderKey("auth-token", SECRET), QueryKey("api_key", SECRET), BasicLogin("user-7", SECRET)]
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_a_key_reaches_the_source_and_neither_logs_nor_errors(
    server: _Echo, caplog: pytest.LogCaptureFixture, credentials: NoKey, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    api = HttpApi(
        base_url=server.url,
        name="src",
        timeout_s=10,
        now_utc=ManualClock(),
        credentials=credentials,
        retrying=Retrying(attempts=1),
    )
    server.answer = Answer(f"no JSON: {' '.join(credentials.secrets())}", status=status)
    with pytest.raises(SourceError) as caught:
        api.get_json("/x", {"zone": "DE"})
    sent = f"{server.asked[0].headers} {server.asked[0].query}"
    assert any(secret in sent for secret in credentials.secrets())
    assert "zone=DE" in caplog.text
    seen = f"{caplog.text} {caught.value} {caught.value!r} {api!r} {credentials!r}"
    assert not [secret for secret in credentials.secrets() if secret in seen]
    assert "***" in str(caught.value)
    api.close()


def test_not_even_half_a_key_is_repeated_from_a_long_answer(server: _Echo) -> None:
    api = HttpApi(
        base_url=server.url,
        name="src",
        timeout_s=10,
        now_utc=ManualClock(),
        credentials=HeaderKey("auth-token", SECRET),
    )
    server.answer = Answer(" " * 1_996 + SECRET, status=400)
    with pytest.raises(SourceError) as caught:
        api.get("/x")
    assert SECRET[:4] not in str(caught.value)
    api.close()


@pytest.mark.parametrize("written", [SECRET, quote(SECRET, safe=""), quote(SECRET, safe="").lower()])
def test_a_redirect_that_repeats_the_key_shows_it_in_no_log(
    server: _Echo, caplog: pytest.LogCaptureFixture, written: str
) -> None:
    caplog.set_level(logging.DEBUG)
    before = list(logging.getLogger("httpcore.http11").filters)
    api = HttpApi(base_url=server.url, name="src", timeout_s=10, credentials=QueryKey("api_key", SECRET))
    server.answer = Answer(status=301, headers={"Location": f"https://elsewhere.invalid/x?api_key={written}"})
    with pytest.raises(SourceError) as caught:
        api.get("/x")
    assert "elsewhere.invalid" in caplog.text
    assert written not in f"{caplog.text} {caught.value}"
    api.close()
    assert logging.getLogger("httpcore.http11").filters == before
