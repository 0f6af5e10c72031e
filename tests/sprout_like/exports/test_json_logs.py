"""A line is one line whatever is in it, and holds neither secrets nor prompts."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sprout_like import CarbonAware
from sprout_like.exports.logs import REQUESTS, JsonFormatter, log_requests, secrets_of
from sprout_like.ledger.testing import sample_request
from sprout_like.settings import Settings
from sprout_like.testing import NullEngine

PROMPT = "what Mrs Jones told her doctor"


class Log:
    """A logger of one's own, and the lines that came out of it."""

    def __init__(self, *secrets: str) -> None:
        self._stream = io.StringIO()
        self.logger = logging.Logger("sprout_like.test")
        handler = logging.StreamHandler(self._stream)
        handler.setFormatter(JsonFormatter(secrets))
        self.logger.addHandler(handler)

    @property
    def text(self) -> str:
        return self._stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n")[:-1]]


@pytest.fixture
def log() -> Log:
    return Log()


def test_a_request_is_a_line_with_what_is_known_of_it(followed: Any, log: Log) -> None:
    row = sample_request(operational_g=None)
    subscription = log_requests(followed, log.logger)
    followed.put(row)
    subscription.deliver()
    (line,) = log.lines
    assert line["level"] == "info"
    assert line["message"] == "request"
    assert line["request_id"] == row.request_id
    assert line["energy_j"] == 20.0
    assert line["tags"] == {"team": "search"}
    assert line["started_utc"] == "2026-03-01T12:00:00+00:00"
    assert "operational_g" not in line
    assert "settled_utc" not in line


def test_the_named_logger_decides_what_is_shown(followed: Any, caplog: pytest.LogCaptureFixture) -> None:
    subscription = log_requests(followed)
    with caplog.at_level(logging.WARNING, logger=REQUESTS):
        followed.put(sample_request())
        subscription.deliver()
    assert not [record for record in caplog.records if record.name == REQUESTS]
    with caplog.at_level(logging.INFO, logger=REQUESTS):
        followed.put(sample_request())
        subscription.deliver()
    assert [record.name for record in caplog.records if record.name == REQUESTS] == [REQUESTS]


@settings(max_examples=100, deadline=None)
@given(st.text(), st.text())
def test_every_text_stays_on_its_line_and_in_ascii(name: str, value: str) -> None:
    log = Log()
    columns = {"task": value, "tags": {name: value}}
    log.logger.info("%s", value, extra={"sprout_like": columns})
    assert log.text.isascii()
    assert log.text.count("\n") == 1
    assert "\r" not in log.text
    assert "\x1b" not in log.text
    assert len(log.lines) == 1


def test_a_harmless_text_comes_back_as_it_was(log: Log) -> None:
    task = 'grüße\u2028\x1b[2J "quoted" \\ \ud800'
    log.logger.info("x", extra={"sprout_like": {"task": task}})
    assert log.lines[0]["task"] == task


def test_what_is_no_number_is_null_so_that_the_line_stays_json(log: Log) -> None:
    log.logger.info("x", extra={"sprout_like": {"energy_j": float("nan"), "duration_s": float("inf")}})
    assert "NaN" not in log.text
    assert log.lines[0]["energy_j"] is None


def test_an_exception_is_told_by_class_and_place_alone(log: Log) -> None:
    try:
        raise ValueError(PROMPT)
    except ValueError:
        log.logger.exception("a job failed")
    (line,) = log.lines
    assert line["exception"] == "ValueError"
    assert line["raised_at"][-1].endswith("test_an_exception_is_told_by_class_and_place_alone")
    assert PROMPT not in log.text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("postgresql://ann:hunter2secret@db:5432/x is away", "postgresql://"),
        ("GET https://api.example/v1?auth_token=hunter2secret&zone=GB", "zone=GB"),
        ("Authorization: Bearer hunter2secret", "uthorization"),
        ("x-api-key: hunter2secret, next", "next"),
        ("{'password': 'hunter2secret', 'zone': 'GB'}", "GB"),
        ("EIA_KEY=hunter2secret", "EIA_KEY"),
        ("the value hunter2secret by itself", "by itself"),
    ],
)
def test_credentials_are_masked_wherever_they_stand(text: str, kept: str) -> None:
    log = Log("hunter2secret") if "by itself" in text else Log()
    log.logger.warning("%s", text, extra={"sprout_like": {"intensity_reason": text, "tags": {text: text}}})
    assert "hunter2secret" not in log.text
    assert kept in log.lines[0]["message"]
    assert kept in log.lines[0]["intensity_reason"]


@pytest.mark.parametrize("text", ["32 tokens: key figures", "monkey=1", "a request of 16 tokens"])
def test_what_is_no_credential_is_left_as_it_is(log: Log, text: str) -> None:
    log.logger.info("%s", text)
    assert log.lines[0]["message"] == text


def test_the_settings_secrets_are_known() -> None:
    found = secrets_of(
        Settings.load(eia_key="eia-key-1", watttime_password="watt-pass-2", ledger="postgresql://ann:pass%2Fword@db/x")
    )
    assert found == {"eia-key-1", "watt-pass-2", "pass%2Fword", "pass/word"}
    assert secrets_of(Settings.load(ledger="ledger.sqlite")) == frozenset()


def test_no_text_of_a_request_that_fails_is_logged(wrap: Callable[..., CarbonAware], log: Log) -> None:
    aware = wrap(engine=NullEngine(error=ValueError(PROMPT)))
    subscription = log_requests(aware, log.logger)
    with pytest.raises(ValueError, match=PROMPT):
        aware.chat(PROMPT)
    subscription.deliver()
    assert log.lines[0]["error_type"] == "ValueError"
    assert PROMPT not in log.text
