"""Keys and tokens: sent where they belong, seen nowhere else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid import SourceDown, SourceSpecError
from grid.http.credentials import BasicLogin, HeaderKey, LoginToken, QueryKey
from grid.testing import ManualClock

HALF_HOUR = timedelta(minutes=30)
LOGIN = BasicLogin("user-7", "secret-1")


class _Logins:
    """Grants a new token each time."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"token-{self.count}"


def _token(logins: _Logins, clock: ManualClock) -> LoginToken:
    return LoginToken(LOGIN, logins, valid=HALF_HOUR, now_utc=clock)


@pytest.mark.parametrize("key", ["", " ", "two words", "new\nline", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_told_without_showing_it(key: str) -> None:
    with pytest.raises(SourceSpecError, match=r"^auth-token: ") as caught:
        HeaderKey("auth-token", key)
    assert not key.strip() or key not in str(caught.value)


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "\udcff"])
def test_a_key_that_nobody_gives_is_not_sent_in_a_url_either(key: str) -> None:
    with pytest.raises(SourceSpecError, match=r"^api_key: ") as caught:
        QueryKey("api_key", key)
    assert not key or key not in str(caught.value)


def test_a_password_that_is_no_text_is_told_without_showing_it() -> None:
    with pytest.raises(SourceSpecError, match=r"^login: ") as caught:
        BasicLogin("user-7", "pass\udcff")
    assert "pass\udcff" not in str(caught.value)


@pytest.mark.parametrize("user", ["", "a:b"])
def test_a_user_name_that_the_scheme_cannot_carry_is_told(user: str) -> None:
    with pytest.raises(SourceSpecError, match="user name"):
        BasicLogin(user, "secret-1")


def test_no_repr_shows_a_key() -> None:
    token = _token(_Logins(), ManualClock())
    token.headers()
    for credentials in (HeaderKey("auth-token", "secret-1"), QueryKey("key", "secret-1"), LOGIN, token):
        assert not [secret for secret in credentials.secrets() if secret in repr(credentials)]
        assert credentials.secrets()


def test_a_token_is_fetched_on_first_use_and_kept_while_it_is_valid() -> None:
    clock, logins = ManualClock(), _Logins()
    token = _token(logins, clock)
    assert logins.count == 0
    assert token.headers() == token.headers() == {"Authorization": "Bearer token-1"}
    clock.advance(HALF_HOUR.total_seconds() - 1)
    assert token.headers() == {"Authorization": "Bearer token-1"}
    clock.advance(1)
    assert token.headers() == {"Authorization": "Bearer token-2"}


def test_a_clock_set_back_does_not_make_a_token_last_longer() -> None:
    clock, logins = ManualClock(), _Logins()
    token = _token(logins, clock)
    token.headers()
    clock.advance(-60)
    assert token.headers() == {"Authorization": "Bearer token-2"}


def test_a_login_that_fails_is_tried_again_with_the_next_question() -> None:
    answers = [SourceDown("down"), "token-1"]

    def log_in() -> str:
        answer = answers.pop(0)
        if isinstance(answer, SourceDown):
            raise answer
        return answer

    token = LoginToken(LOGIN, log_in, valid=HALF_HOUR, now_utc=ManualClock())
    with pytest.raises(SourceDown):
        token.headers()
    assert token.headers() == {"Authorization": "Bearer token-1"}


def test_callers_that_come_at_once_share_one_login() -> None:
    together, logins = threading.Barrier(8), _Logins()
    token = _token(logins, ManualClock())

    def ask(_: int) -> object:
        together.wait()
        return token.headers()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [{"Authorization": "Bearer token-1"}] * 8
    assert logins.count == 1


def test_callers_whose_token_is_refused_at_once_share_one_new_login() -> None:
    together, logins = threading.Barrier(8), _Logins()
    token = _token(logins, ManualClock())

    def ask(_: int) -> object:
        token.headers()
        together.wait()
        assert token.renew()
        return token.headers()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [{"Authorization": "Bearer token-2"}] * 8
    assert logins.count == 2


@given(st.lists(st.integers(0, 3_600), max_size=20))
def test_no_token_is_sent_beyond_its_time(steps_s: list[int]) -> None:
    clock, logins = ManualClock(), _Logins()
    granted = {}
    token = LoginToken(LOGIN, logins, valid=HALF_HOUR, now_utc=clock)
    for step_s in steps_s:
        clock.advance(step_s)
        sent = token.headers()["Authorization"]
        granted.setdefault(sent, clock())
        assert clock() - granted[sent] < HALF_HOUR


def test_the_token_the_one_before_and_the_login_are_masked() -> None:
    token = _token(_Logins(), ManualClock())
    token.headers()
    token.renew()
    token.headers()
    assert {"token-1", "token-2", "secret-1", "user-7"} <= set(token.secrets())
