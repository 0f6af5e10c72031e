"""Secrets out of what others wrote: answers that repeat a key, and the log of a library that repeats such answers."""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Callable, Iterable
from urllib.parse import quote, quote_plus

__all__ = ["MaskingFilter", "masked"]


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text with `***` for each secret, as it is or as URLs, JSON, XML and Python's reprs write it."""
    forms = {form for secret in secrets if secret for form in _forms(secret)}
    if not forms:
        return text
    longest_first = sorted(forms, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "***", text, flags=re.IGNORECASE)  # %2B and %2b


def _forms(secret: str) -> Iterable[str]:
    in_urls = (quote(secret), quote(secret, safe=""), quote_plus(secret))
    in_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    return (secret, *in_urls, *in_json, html.escape(secret), repr(secret)[1:-1], repr(secret.encode())[2:-1])


class MaskingFilter(logging.Filter):
    """For a logger of somebody else's: masks our secrets in its records, and changes nothing else.

    Args:
        secrets: what to mask now.
    """

    def __init__(self, secrets: Callable[[], Iterable[str]]) -> None:
        super().__init__()
        self._secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through, masked."""
        said = record.getMessage()
        if (clean := masked(said, self._secrets())) != said:
            record.msg, record.args = clean, None
        return True
