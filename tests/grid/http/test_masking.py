"""No form of a secret is left in a text."""

from __future__ import annotations

import html
import json
import logging
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grid.http.masking import MaskingFilter, masked

secrets = st.text(st.characters(exclude_categories=["Cs"]), min_size=4).filter(lambda secret: "*" not in secret)

WRITTEN = {
    "as it is": str,
    "quote": quote,
    "quote all": lambda secret: quote(secret, safe=""),
    "quote_plus": quote_plus,
    "lower case": lambda secret: quote(secret, safe="").lower(),
    "query": lambda secret: urlencode({"key": secret}).removeprefix("key="),
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in Unicode": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "XML": html.escape,
    "repr": lambda secret: repr(secret)[1:-1],
    "bytes": lambda secret: repr(secret.encode())[2:-1],
}


@pytest.mark.parametrize("form", WRITTEN)
@given(secret=secrets, short=secrets)
def test_a_secret_is_masked_however_it_is_written(form: str, secret: str, short: str) -> None:
    written = WRITTEN[form](secret)
    text = f"\x00you sent {written}\x00"
    assert written not in masked(text, [secret])
    assert written not in masked(text, [short, secret])


@given(st.text())
def test_where_there_is_no_secret_nothing_changes(text: str) -> None:
    assert masked(text, []) == masked(text, [""]) == text
    assert masked(text, [text + "x"]) == text


def test_a_longer_secret_is_masked_before_one_that_it_begins_with() -> None:
    assert masked("abcd-1234", ["abcd", "abcd-1234"]) == "***"


def test_a_filter_masks_records_and_lets_all_through() -> None:
    record = logging.LogRecord("name", logging.DEBUG, "path", 1, "%s%% and %d", ("key-1", 5), None)
    assert MaskingFilter(lambda: ["other"]).filter(record)
    assert record.args == ("key-1", 5)
    assert MaskingFilter(lambda: ["key-1"]).filter(record)
    assert record.getMessage() == "***% and 5"
