"""Who may look: by a token in a URL that is good once, and from then on by a cookie."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from typing import Final

__all__ = ["Access"]

_BYTES: Final = 32
_MOST_SESSIONS: Final = 64


class Access:
    """Tokens and the sessions that they opened, in memory alone; all comparisons take the same time.

    Args:
        port: names the cookie, as browsers send a host's cookies to all of its ports.
        used: called with the next token once one was used, so that another browser can be let in.
        new_secret: makes tokens.
    """

    def __init__(
        self,
        port: int,
        used: Callable[[str], object],
        *,
        new_secret: Callable[[], str] = lambda: secrets.token_urlsafe(_BYTES),
    ) -> None:
        self.cookie = f"sprout_like_{port}"
        self.token = new_secret()
        self._used = used
        self._new_secret = new_secret
        # Digests: of equal length, and what is in memory opens nothing. The oldest goes when there are too many.
        self._sessions: deque[bytes] = deque(maxlen=_MOST_SESSIONS)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return "Access(…)"

    def exchange(self, token: str) -> str | None:
        """The value of a new cookie for a token that was never used before; None for any other."""
        with self._lock:
            if not hmac.compare_digest(_digest(token), _digest(self.token)):
                return None
            self.token, session = self._new_secret(), self._new_secret()
            self._sessions.append(_digest(session))
        self._used(self.token)
        return session

    def admits(self, cookies: str) -> bool:
        """Whether a `Cookie` header is that of somebody who was let in."""
        try:
            given = SimpleCookie(cookies).get(self.cookie)
        except CookieError:
            return False
        digest = _digest("" if given is None else given.value)
        with self._lock:
            # All of them, so that the time does not tell which was nearly right.
            return sum([hmac.compare_digest(digest, known) for known in self._sessions]) > 0


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
