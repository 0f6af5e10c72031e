"""How a source proves who we are; the only place that holds a key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Credentials", "HeaderKey", "NoKey", "QueryKey"]


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
    """A key in a header, e.g. `auth-token`."""

    def __init__(self, header: str, key: str) -> None:
        self._header = header
        self._key = key

    def headers(self) -> Mapping[str, str]:
        """The key's."""
        return {self._header: self._key}

    def secrets(self) -> tuple[str, ...]:
        """The key."""
        return (self._key,)


class QueryKey(NoKey):
    """A key in the URL, where the source knows no other way, e.g. `securityToken`."""

    def __init__(self, parameter: str, key: str) -> None:
        self._parameter = parameter
        self._key = key

    def query(self) -> Mapping[str, str]:
        """The key's."""
        return {self._parameter: self._key}

    def secrets(self) -> tuple[str, ...]:
        """The key."""
        return (self._key,)
