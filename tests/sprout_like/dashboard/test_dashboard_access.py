"""The token: good once, exchanged for a cookie, never told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from sprout_like.dashboard.access import Access
from tests.sprout_like.dashboard.served import Served, serving


@pytest.fixture
def locked(serve, ledger) -> Served:
    return serve(ledger, token=True)


@pytest.fixture(scope="module")
def shut(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One that nobody is let into."""
    with serving(tmp_path_factory.mktemp("access") / "ledger.sqlite", token=True) as served:
        yield served


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["token"][0]


@pytest.mark.parametrize(
    "path", ["/", "/main.js", "/api/now", "/api/page", "/api/traffic", "/nothing", "/?token=", "/?token=wrong"]
)
def test_without_token_nothing_is_told(shut, path: str) -> None:
    answer = shut.get(path)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert "ledger" not in answer.text
    assert token_of(shut.url) not in answer.text


def test_a_token_becomes_a_cookie_that_scripts_and_other_sites_never_see(locked) -> None:
    answer = httpx.get(locked.url, trust_env=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert token_of(locked.url).lower() not in cookie
    with httpx.Client(cookies=answer.cookies, trust_env=False) as client:
        assert client.get(locked.base + "/").status_code == 200
        assert client.get(locked.base + "/api/now").status_code == 200


def test_a_token_is_good_once_and_the_next_is_told_to_the_terminal(locked) -> None:
    assert httpx.get(locked.url, trust_env=False).status_code == 303
    assert httpx.get(locked.url, trust_env=False).status_code == 401
    (again,) = locked.new_urls
    assert token_of(again) != token_of(locked.url)
    assert httpx.get(again, trust_env=False).status_code == 303


def test_looking_what_there_is_uses_no_token_up(locked) -> None:
    assert httpx.head(locked.url, trust_env=False).status_code == 401
    assert httpx.get(locked.url.replace("/?", "/api/now?"), trust_env=False).status_code == 401
    assert httpx.get(locked.url, trust_env=False).status_code == 303


@pytest.mark.parametrize(
    "cookie", ["", "a=b", "sprout_like_1=x", ";;;=", "sprout_like_1", 'sprout_like_1="\\xff', "\x80"]
)
def test_any_other_cookie_opens_nothing(shut, cookie: str) -> None:
    named = cookie.replace("sprout_like_1", f"sprout_like_{shut.port}")
    assert shut.raw("GET", "/api/now", {"Cookie": named.encode("latin-1").decode("latin-1")}).status_code == 401


def test_beyond_this_machine_a_token_is_always_asked_for(serve, ledger) -> None:
    served = serve(ledger, host="0.0.0.0")
    assert "token=" in served.url
    assert served.raw("GET", "/api/now").status_code == 401
    assert served.raw("GET", "/api/now", {"Host": "192.168.1.7:8765"}).status_code == 401
    assert served.raw("GET", "/api/now", {"Host": "evil.example"}).status_code == 421


def test_a_host_name_is_the_same_in_capitals(serve, ledger) -> None:
    served = serve(ledger, host="LOCALHOST")
    assert "token=" not in served.url
    assert served.raw("GET", "/api/now", {"Host": "LocalHost"}).status_code == 200


def test_a_token_is_in_no_log(locked, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        httpx.get(f"{locked.base}/?token=wrong-one", trust_env=False)
        cookie = httpx.get(locked.url, trust_env=False).cookies[f"sprout_like_{locked.port}"]
    # httpx, the client, logs what it asks for.
    said = "".join(
        str(record.getMessage()) for record in caplog.records if record.name.split(".")[0] not in ("httpx", "httpcore")
    )
    printed = "".join(capfd.readouterr())
    for secret in (token_of(locked.url), "wrong-one", cookie):
        assert secret not in said
        assert secret not in printed


def secrets() -> Iterator[str]:
    return (f"secret-{n}" for n in range(1000))


def test_all_sessions_are_compared_whichever_fits() -> None:
    made = secrets()
    access = Access(8765, lambda _: None, new_secret=lambda: next(made))
    sessions = [access.exchange(access.token) for _ in range(3)]
    assert all(session and access.admits(f"other=1; sprout_like_8765={session}") for session in sessions)
    assert not access.admits("sprout_like_8766=" + str(sessions[0]))


def test_the_oldest_of_too_many_sessions_ends() -> None:
    made = secrets()
    access = Access(8765, lambda _: None, new_secret=lambda: next(made))
    sessions = [access.exchange(access.token) for _ in range(65)]
    assert not access.admits(f"sprout_like_8765={sessions[0]}")
    assert access.admits(f"sprout_like_8765={sessions[1]}")


def test_access_keeps_its_secrets_out_of_its_repr() -> None:
    access = Access(8765, lambda _: None)
    assert access.token not in repr(access)
    assert len(access.token) >= 43
