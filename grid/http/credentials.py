"""How a source proves who we are; the only place that holds a key."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Protocol

from grid.clock import UtcNow
from grid.errors import SourceSpecError
from grid.http.process import PerProcess

__all__ = ["BasicLogin", "Credentials", "HeaderKey", "LoginToken", "NoKey", "QueryKey", "is_sendable"]


class Credentials(Protocol):
    """Puts a key on each request. Its repr and its errors never show the key."""

    def headers(self) -> Mapping[str, str]:
        """Headers to add; may ask the source for a token, and raise what that raises."""
        ...

    def query(self) -> Mapping[str, str]:
        """Query parameters to add; they are added below anything that logs URLs."""
        ...

    def renew(self) -> bool:
        """The source answered 401: get ready to ask once more; False where that cannot help."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """What is to be masked wherever the source's own words are repeated."""
        ...


class NoKey:
    """For sources that serve everybody."""

    def headers(self) -> Mapping[str, str]:
        """None."""
        return {}

    def query(self) -> Mapping[str, str]:
        """None."""
        return {}

    def renew(self) -> bool:
        """It cannot help."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """None."""
        return ()


class HeaderKey(NoKey):
    """A key in a header, e.g. `auth-token`.

    Args:
        header: its name. key: the key.
        scheme: what stands before the key, e.g. `Bearer` (RFC 6750, 2.1); empty for nothing.

    Raises:
        SourceSpecError: no header can hold the key; the message does not show it.
    """

    def __init__(self, header: str, key: str, *, scheme: str = "") -> None:
        if not is_sendable(key):
            raise SourceSpecError(f"{header}: the key is empty, or holds what no header can hold; set it anew")
        self._header = header
        self._key = key
        self._sent = f"{scheme} {key}" if scheme else key

    def headers(self) -> Mapping[str, str]:
        """The key's."""
        return {self._header: self._sent}

    def secrets(self) -> tuple[str, ...]:
        """The key."""
        return (self._key,)


class QueryKey(NoKey):
    """A key in the URL, where the source knows no other way, e.g. `securityToken`.

    Raises:
        SourceSpecError: no provider gives such keys; the message does not show it.
    """

    def __init__(self, parameter: str, key: str) -> None:
        if not is_sendable(key):
            raise SourceSpecError(f"{parameter}: the key is empty, or holds more than visible ASCII; set it anew")
        self._parameter = parameter
        self._key = key

    def query(self) -> Mapping[str, str]:
        """The key's."""
        return {self._parameter: self._key}

    def secrets(self) -> tuple[str, ...]:
        """The key."""
        return (self._key,)


class BasicLogin(NoKey):
    """User name and password on each request, as HTTP's Basic scheme has it (RFC 7617).

    Raises:
        SourceSpecError: the scheme cannot carry the user name or the password; the message does not show them.
    """

    def __init__(self, user: str, password: str) -> None:
        if not user or ":" in user:
            raise SourceSpecError("login: the user name is empty or holds a colon; set it anew")
        self._user = user
        self._password = password
        try:
            self._encoded = b64encode(f"{user}:{password}".encode()).decode()
        except UnicodeEncodeError:
            said = "login: the user name or the password holds what is no character; set it anew"
            raise SourceSpecError(said) from None

    def headers(self) -> Mapping[str, str]:
        """The login's."""
        return {"Authorization": f"Basic {self._encoded}"}

    def secrets(self) -> tuple[str, ...]:
        """All of it."""
        return tuple(secret for secret in (self._encoded, self._password, self._user) if secret)


class LoginToken(NoKey):
    """A token that a login gives for a while: fetched on first use, renewed before it ends and when it is refused.

    Callers that come at once share one login.

    Args:
        login: what tokens are asked for with; to be masked as they are.
        log_in: asks for a token; what it raises is raised to whoever needs the token.
        valid: how long a token may be used; less than the source grants.
        now_utc: the clock that goes by.
    """

    def __init__(self, login: Credentials, log_in: Callable[[], str], *, valid: timedelta, now_utc: UtcNow) -> None:
        self._login = login
        self._log_in = log_in
        self._valid = valid
        self._now_utc = now_utc
        self._lock = PerProcess(threading.Lock)
        self._token: str | None = None
        self._token_before: str | None = None
        self._since_utc = now_utc()
        self._sent = threading.local()

    def headers(self) -> Mapping[str, str]:
        """The token's; may wait for a login, one's own or another caller's."""
        with self._lock():
            # A clock set back makes the age negative, and the age unknown.
            if self._token is None or not timedelta(0) <= self._now_utc() - self._since_utc < self._valid:
                since_utc = self._now_utc()
                self._token_before = self._token or self._token_before
                self._token = self._log_in()
                self._since_utc = since_utc
            self._sent.token = self._token
            return {"Authorization": f"Bearer {self._token}"}

    def renew(self) -> bool:
        """Forget the token that this thread has sent, unless another caller has renewed it already."""
        with self._lock():
            if self._token == getattr(self._sent, "token", None):
                self._token_before, self._token = self._token, None
        return True

    def secrets(self) -> tuple[str, ...]:
        """The token, the one before, which answers may still repeat, and the login."""
        tokens = (self._token, self._token_before)
        return (*(token for token in tokens if token), *self._login.secrets())


def is_sendable(key: str) -> bool:
    """Whether a header or a URL can hold the key: visible ASCII, and some of it."""
    return bool(key) and key.isascii() and key.isprintable() and " " not in key
