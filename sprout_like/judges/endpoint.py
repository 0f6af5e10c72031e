"""A model behind any endpoint that speaks OpenAI's chat completions: a provider's, vLLM's, llama.cpp's, Ollama's."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from grid.errors import BadData, SourceDown, SourceError
from grid.http.api import HttpApi
from grid.http.breaker import Breaker
from grid.http.credentials import HeaderKey, NoKey
from grid.http.retrying import Retrying
from sprout_like.errors import JudgeError
from sprout_like.judges.answerer import Reply
from sprout_like.judges.judge import Cost

__all__ = ["Endpoint"]

_PATH: Final = "chat/completions"

# One word is asked for; what a model that thinks first needs is an order of magnitude, and billed only where used.
_WORD_TOKENS: Final = 16
_THOUGHT_TOKENS: Final = 4096

# Of this one question, perhaps because it is too long or offends; all other refusals would meet every question.
_OF_THE_QUESTION: Final = frozenset({400, 413, 422})
_PASSING: Final = frozenset({408, 429})

_WHAT_TO_DO: Final[Mapping[int, str]] = {
    401: "Set judge_key to a key that it knows",
    402: "Its account has no credit left",
    403: "Check what judge_key may use",
    404: "Check that judge_url ends where /chat/completions begins, as in …/v1, and the model's name in judge",
}


class _Rejected(SourceError):
    """An answer with a status that asking again would not change.

    Attributes:
        status: HTTP's. parameter: the parameter of ours that it does not take; None where it does not say.
    """

    def __init__(self, status: int, parameter: str | None) -> None:
        super().__init__(f"it answered {status}")
        self.status = status
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class _Manner:
    """How this model wants to be asked, as far as it has told."""

    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    tokens: int = _WORD_TOKENS
    temperature: bool = True

    def parameters(self) -> dict[str, Any]:
        return {self.limit: self.tokens, **({"temperature": 0} if self.temperature else {})}

    def without(self, parameter: str | None) -> _Manner:
        if parameter == "max_tokens":
            return dataclasses.replace(self, limit="max_completion_tokens")
        return dataclasses.replace(self, temperature=False) if parameter == "temperature" else self


class _AsTold(Retrying):
    """Who names a time is asked again as often as it does, while there is time."""

    def wait_s(self, failed: int, error: SourceError, *, left_s: float, uniform: float) -> float | None:
        """As in `Retrying`."""
        told = isinstance(error, SourceDown) and error.retry_after_s is not None
        rule = Retrying(attempts=failed + 1) if told else Retrying()
        return rule.wait_s(failed, error, left_s=left_s, uniform=uniform)


class Endpoint:
    """A model at an endpoint. Safe to use from several threads; no connection outlives a question.

    Asks at temperature 0 for at most 16 tokens. A model that refuses these parameters is asked again without them, and
    one that spent all tokens on thinking gets 4096 from then on. Redirects are not followed. A `Retry-After` is waited
    for, as often as it comes; where it asks for more than is left of the time, and after three questions in a row
    without an answer, the endpoint counts as down.

    Args:
        model: its name there.
        url: what `/chat/completions` is appended to, usually ending in `/v1`.
        key: sent as a bearer token; None for none.
        timeout_s: limit on one attempt, in s; a question with its retries ends within three times that.
        j_per_token: energy per token read or written, in J, at the endpoint; None where unknown, as it usually is.
        monotonic_s, sleep: the clock of time limits and the waiting between attempts (None: really waits).

    Raises:
        grid.SourceSpecError: the URL, the key or the timeout cannot be used; the message shows no secret.
    """

    def __init__(
        self,
        model: str,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 60.0,
        j_per_token: float | None = None,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._model = model
        self._url = url
        self._credentials = NoKey() if key is None else HeaderKey("Authorization", key, scheme="Bearer")
        self._timeout_s = timeout_s
        self._j_per_token = j_per_token
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._breaker = Breaker()
        self._manner = _Manner()
        self._api().close()  # checks what it is given

    @property
    def name(self) -> str:
        """`endpoint:` and the model."""
        return f"endpoint:{self._model}"

    def answer(self, messages: Sequence[Mapping[str, str]]) -> Reply:
        """Ask it.

        Raises:
            JudgeError: it refuses the key, the model or the address, or it is down.
        """
        begun_s = self._monotonic_s()
        api = self._api()
        try:
            document = self._document(api, messages)
        except (BadData, SourceDown) as exc:
            if isinstance(exc, SourceDown) and exc.retry_after_s is not None:
                raise JudgeError(f"{exc}. Judge again in {exc.retry_after_s:.0f} s") from exc
            return Reply(text=None, reason=str(exc), cost=Cost(duration_s=self._monotonic_s() - begun_s))
        except _Rejected as exc:
            if exc.status not in _OF_THE_QUESTION:
                raise JudgeError(f"{self.name}: {exc}. {_what_to_do(exc.status)}") from exc
            reason = f"{self.name}: it answered {exc.status} to this question"
            return Reply(text=None, reason=reason, cost=Cost(duration_s=self._monotonic_s() - begun_s))
        except SourceError as exc:
            raise JudgeError(f"{exc}. Check judge_url") from exc
        finally:
            api.close()
        text = _text(document)
        if _at(document, "choices", 0, "finish_reason") == "length" and _is_thought(text):
            self._manner = dataclasses.replace(self._manner, tokens=_THOUGHT_TOKENS)
        return Reply(text=text, cost=self._cost(document, self._monotonic_s() - begun_s))

    def _api(self) -> HttpApi:
        return HttpApi(
            base_url=self._url,
            name=self.name,
            timeout_s=self._timeout_s,
            credentials=self._credentials,
            judge=_rejected,
            retrying=_AsTold(),
            breaker=self._breaker,
            quoting=False,  # its words may be those of a prompt
            monotonic_s=self._monotonic_s,
            sleep=self._sleep,
        )

    def _document(self, api: HttpApi, messages: Sequence[Mapping[str, str]]) -> Any:
        while True:
            manner = self._manner
            posted = {"model": self._model, "messages": [dict(m) for m in messages], **manner.parameters()}
            try:
                return api.post_json(_PATH, posted)
            except _Rejected as exc:
                changed = manner.without(exc.parameter) if exc.status in _OF_THE_QUESTION else manner
                if changed == manner:
                    raise
                self._manner = changed

    def _cost(self, document: Any, duration_s: float) -> Cost:
        tokens = _at(document, "usage", "total_tokens")
        if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
            return Cost(duration_s=duration_s)
        if self._j_per_token is None:
            return Cost(duration_s=duration_s, tokens=tokens)
        return Cost(energy_j=tokens * self._j_per_token, method="estimated", duration_s=duration_s, tokens=tokens)


def _rejected(status: int, body: bytes) -> SourceError | None:
    if not 300 <= status < 500 or status in _PASSING:
        return None
    try:
        parameter = _at(json.loads(body), "error", "param")
    except (ValueError, RecursionError):
        parameter = None
    return _Rejected(status, parameter if isinstance(parameter, str) else None)


def _is_thought(text: str) -> bool:
    """Of an answer that was cut off: whether nothing of it is what was asked for."""
    return not text.strip() or text.lstrip().startswith("<think>")


def _what_to_do(status: int) -> str:
    if 300 <= status < 400:
        return "Give judge_url as it redirects to: a key is not sent after a redirect"
    return _WHAT_TO_DO.get(status, "Check judge_url and the model's name in judge")


def _text(document: Any) -> str:
    """The model's words; empty where there are none, or where they are not where they belong."""
    content = _at(document, "choices", 0, "message", "content")
    if isinstance(content, list):  # parts, of which only texts can hold a word
        parts = [_at(part, "text") for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _at(document: Any, *path: str | int) -> Any:
    """What stands at a path of keys and places; None where nothing does."""
    for step in path:
        match document, step:
            case dict(), str():
                document = document.get(step)
            case list(), int() if step < len(document):
                document = document[step]
            case _:
                return None
    return document
