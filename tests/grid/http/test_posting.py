"""A document that is posted: faults as for what is only read, and no word of it anywhere."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator

import pytest

from grid import BadData, SourceDown, SourceError
from grid.http.api import HttpApi
from grid.http.credentials import HeaderKey
from grid.http.retrying import Retrying
from grid.testing import Answer, Asked, Loopback

PRIVATE = "the patient's name"


class _Echo(Loopback):
    """Answers what it was posted."""

    def truth(self, asked: Asked) -> Answer:
        return Answer(asked.body)


@pytest.fixture
def server() -> Iterator[_Echo]:
    with _Echo() as running:
        yield running


@pytest.fixture
def api(server: _Echo) -> Iterator[HttpApi]:
    made = HttpApi(
        base_url=f"{server.url}/v1",
        name="src",
        credentials=HeaderKey("Authorization", "key", scheme="Bearer"),
        retrying=Retrying(attempts=2, first_wait_s=0),
        quoting=False,
    )
    yield made
    made.close()


def test_a_document_is_posted_with_the_key(api: HttpApi, server: _Echo) -> None:
    assert api.post_json("chat", {"text": PRIVATE}) == {"text": PRIVATE}
    assert server.asked[0].path == "/v1/chat"
    assert server.asked[0].headers["authorization"] == "Bearer key"
    assert json.loads(server.asked[0].body) == {"text": PRIVATE}


def test_the_document_is_posted_whole_when_it_is_asked_again(api: HttpApi, server: _Echo) -> None:
    server.next_answers = [Answer(status=503)]
    assert api.post_json("chat", {"text": PRIVATE}) == {"text": PRIVATE}
    assert server.asked[0].body == server.asked[1].body


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(f'{{"error": "{PRIVATE}"}}', status=400), SourceError),
        (Answer(PRIVATE, status=503), SourceDown),
        (Answer(PRIVATE), BadData),
        (Answer(PRIVATE, delivery="truncated"), SourceDown),
    ],
)
def test_words_that_may_be_ours_are_not_repeated(
    api: HttpApi, server: _Echo, answer: Answer, error: type[SourceError]
) -> None:
    server.answer = answer
    with pytest.raises(error) as caught:
        api.post_json("chat", {"text": PRIVATE})
    assert PRIVATE not in "".join(traceback.format_exception(caught.value))
    assert not hasattr(caught.value.__cause__, "doc")  # where the parser keeps what it could not read
