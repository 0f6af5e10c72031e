"""Logs for machines: one JSON object a line, and one line a request. Nothing but the standard library.

import logging, sys
from sprout_like.exports.logs import JsonFormatter, log_requests

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter())
logging.getLogger("sprout_like").addHandler(handler)    # warnings, as lines
log_requests(aware)                                     # and a line for each request
"""

from __future__ import annotations

import json
import logging
import math
import re
import traceback
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sprout_like.feed import Followed, Seen, Subscription
from sprout_like.record import RequestRecord
from sprout_like.settings import Settings

__all__ = ["REQUESTS", "JsonFormatter", "log_requests", "secrets_of"]

REQUESTS: Final = "sprout_like.requests"
"""The logger of requests, unless another is given."""

_FIELDS: Final = "sprout_like"
_MASK: Final = "…"
_SHORTEST_SECRET: Final = 4

# What every credential below has; most texts have none of it.
_MAYBE: Final = re.compile(r"//|[=:]|[Bb][Ee][Aa][Rr][Ee][Rr] ")
_CREDENTIALS: Final = (
    re.compile(r"(?<=//)[^/\s@]+(?=@)"),
    re.compile(r"(?i)(?<=\bbearer )[^\s\"',;]+"),
    re.compile(
        r"(?i)(?<![a-z0-9_-])(?P<name>[_-]*(?:[a-z0-9]+[_-])*(?:api)?(?:key|token|secret|password|passwd|authorization))"
        r"(?P<sign>[\"']?\s*[=:]\s*[\"']?)(?!bearer )[^\s\"'&,;]+"
    ),
)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON: time, level, logger, message, and a request's columns.

    Of an exception the line has the class and where it was raised; its message is left out, as it may quote a prompt.
    What looks like a credential is masked wherever it stands. Every character outside ASCII is escaped, so that no
    value can begin another line or steer a terminal.

    Args:
        secrets: texts that are masked besides, such as `secrets_of(settings)`.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        # The longest first, lest one that is part of another leaves the rest of it in the clear.
        self._secrets = sorted({text for text in secrets if len(text) >= _SHORTEST_SECRET}, key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._masked(record.getMessage()),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
            line["raised_at"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(record.exc_info[2])
            ]
        line.update(self._cleaned(getattr(record, _FIELDS, {})))
        return json.dumps(line)

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, Mapping):
            return {self._masked(str(name)): self._cleaned(inner) for name, inner in value.items()}
        if isinstance(value, datetime):
            return value.isoformat()
        if isinstance(value, float) and not math.isfinite(value):
            return None  # JSON has no word for it
        return value if value is None or isinstance(value, (bool, int, float)) else self._masked(str(value))

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _MASK)
        if not _MAYBE.search(text):
            return text
        address, bearer, named = _CREDENTIALS
        text = bearer.sub(_MASK, address.sub(_MASK, text))
        return named.sub(lambda found: f"{found['name']}{found['sign']}{_MASK}", text)


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every secret of the settings, in the clear: for `JsonFormatter` alone."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    found = {str(value.get_secret_value()) for value in values if hasattr(value, "get_secret_value")}
    # The ledger is secret for the password in its URL: that may stand elsewhere, and the rest may be shown.
    if (url := settings.ledger_spec) is not None:
        found.discard(url)
        found |= {password for text in (urlsplit(url).password,) if text for password in (text, unquote(text))}
    return frozenset(found)


def log_requests(
    followed: Followed, logger: logging.Logger | None = None, *, level: int = logging.INFO
) -> Subscription:
    """Log a line for every request of a `CarbonAware`, until it or the subscription is closed.

    The line has the columns of the request's row that are known. No text of a prompt or an answer is among them.

    Args:
        followed: a `CarbonAware`.
        logger: None for `sprout_like.requests`. It decides what is shown: set it to `level`, and give it a handler.
        level: of the lines.
    """
    return followed.live.feed.subscribe(_Requests(logger or logging.getLogger(REQUESTS), level))


class _Requests:
    name = "log"

    def __init__(self, logger: logging.Logger, level: int) -> None:
        self._logger = logger
        self._level = level

    def tell(self, rows: Sequence[Seen]) -> None:
        for row, _ in rows:
            if isinstance(row, RequestRecord) and self._logger.isEnabledFor(self._level):
                columns = {name: value for name, value in row.as_dict().items() if value is not None and value != {}}
                self._logger.log(self._level, "request", extra={_FIELDS: columns})

    def close(self) -> None:
        """Nothing is held."""
