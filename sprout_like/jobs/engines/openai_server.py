"""Any server that speaks OpenAI's chat completions: vLLM, TGI, SGLang, llama.cpp, `transformers serve`."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from directives import Directive
from grid.errors import SourceError, SourceSpecError
from grid.http.api import HttpApi
from grid.http.breaker import Breaker
from grid.http.credentials import HeaderKey, NoKey
from grid.http.retrying import Retrying
from sprout_like.engines.engine import Pausable
from sprout_like.errors import EngineUnavailable, SettingError
from sprout_like.jobs.engines.engine import Answered, Ask, Outcome
from sprout_like.jobs.engines.openai_chat import (
    PATH,
    Completion,
    Rejected,
    finish_of,
    limit_of,
    listed_models,
    posted,
    rejected,
    unpassable,
)
from sprout_like.jobs.engines.openai_probe import Probe
from sprout_like.jobs.engines.openai_reply import Reply, advice, estimated, is_local, together, weights
from sprout_like.jobs.engines.sharing import parts_of_one

__all__ = ["OpenAIServer", "models_of"]

_KNOBS: Final = frozenset({"instruction", "budget"})

# A full queue names a time again and again; each is waited for, within three time limits of one attempt.
_RETRYING: Final = Retrying(attempts=5)


class OpenAIServer:
    """A model behind a server; the prompts of a batch are asked at once, so that the server can batch them.

    An instruction goes into the system turn and a budget lowers `max_tokens`, without its soft ending, which a server
    cannot be asked for; other knobs are refused. What an ask leaves open (sampling, say) is as the server has it.

    Faults: what may pass is asked again, up to 5 times and as late as `Retry-After` says. A prompt that is refused or
    not answered while others are is at fault itself. Where none was answered, one token of another conversation is
    asked for: if a completion comes the prompts are at fault, else the server is unavailable.

    Energy: a server on this machine is metered by the caller's window over the machine's counters, where it has any:
    all that the machine drew meanwhile is in it, the worker's and other programs' part too, hence the counters' method
    `apportioned`. Otherwise it is `j_per_token` times the new tokens, `estimated`; unknown without that.

    Args:
        url: what `/chat/completions` is appended to, usually ending in `/v1`.
        model: its name there.
        key: sent as a bearer token; None for none.
        j_per_token: energy per new token at the server, in J; None where unknown.
        host_devices: what the caller's meter counts of the whole machine, `cpu` or GPU UUIDs; counts where the server
            is on it, which a loopback address tells. Empty for none.
        at_once: most prompts asked at a time.
        timeout_s: limit on one attempt at a prompt, queueing at the server included, in s; an hour at most.
        monotonic_s, sleep: the clock of durations and time limits, and the waiting between attempts (None: real).

    Raises:
        SettingError: the URL, the key or the limit cannot be used; the message shows no secret.
    """

    name = "openai"
    family = None

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: str | None = None,
        j_per_token: float | None = None,
        host_devices: Collection[str] = (),
        at_once: int = 64,
        timeout_s: float = 600.0,
        monotonic_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self.model = model
        self._url = url
        self._j_per_token = j_per_token
        self._at_once = at_once
        self._timeout_s = timeout_s
        self._monotonic_s = monotonic_s
        self._sleep = sleep
        self._breaker = Breaker()
        self._api: HttpApi | None = None
        self._checked = self._closed = False
        self._probe = Probe(self._post, model)
        try:
            self._credentials = NoKey() if key is None else HeaderKey("Authorization", key, scheme="Bearer")
            self._opened().close()
        except SourceSpecError as exc:
            raise SettingError("engine_url", str(exc), "Correct engine_url or engine_key") from exc
        self._api = None
        self._host_devices = tuple(host_devices) if is_local(url) else ()

    def devices(self) -> tuple[str, ...] | None:
        """The machine's, where the server is on it and the meter counts all of it; else None."""
        return self._host_devices or None

    def load(self) -> None:
        """Check that it answers and has the model; a server that does not list the model is asked for a token of it.

        Raises:
            EngineUnavailable: it does not answer, refuses the key, or does not have the model; or this was closed.
        """
        if self._closed:
            raise EngineUnavailable(f"{self.name}: closed")
        if self._checked:
            return
        listed = self.models()
        if self.model not in listed:
            try:
                completion = self._probe.ask()
            except SourceError as exc:
                raise self._unavailable(exc, listed) from exc
            if not self._is_ours(completion, listed):
                known = listed or [name for name in [completion and completion.model] if name]
                raise EngineUnavailable(f"{self.name}: {self._url_shown} has no model {self.model!r}{_has(known)}")
        self._checked = True

    def models(self) -> list[str]:
        """The models that it says it has; empty where it does not say, or does not answer."""
        try:
            document = self._opened().get_json("models")
        except SourceError:
            return []
        return listed_models(document)

    def unload(self) -> None:
        """Close the connections; the server keeps its model, which is its own business."""
        api, self._api, self._checked = self._api, None, False
        if api is not None:
            api.close()

    def prompt_tokens(self, ask: Ask) -> int | None:  # noqa: ARG002 - part of the protocol
        """Unknown before it was run: the tokenizer is at the server."""
        return None

    def refusal(self, directive: Directive, ask: Ask) -> str | None:
        """Refuse other knobs than instruction and budget, arguments that the API has no field for, lost system turns.

        An instruction is tried out once, with one token of another conversation.
        """
        if (argument := unpassable(ask.arguments)) is not None:
            return f"an OpenAI-compatible server cannot be given {argument}"
        if beyond := sorted(directive.knobs - _KNOBS):
            return f"an OpenAI-compatible server cannot be given {beyond[0]}"
        if directive.instruction is None or self._closed:
            return None
        try:
            added = self._probe.added_tokens(directive.instruction, has_system=True)
        except Rejected as exc:
            return "the server takes no system turn" if exc.of_the_prompt else None
        except SourceError:
            return None  # whether it is down is for `run` to tell
        return "the server's chat template leaves the system turn out" if added is not None and added <= 0 else None

    def run(self, asks: Sequence[Ask], window: Pausable) -> Outcome:  # noqa: ARG002 - the server compiles, not we
        """Ask all at once.

        Raises:
            EngineUnavailable: it does not answer, or would refuse any prompt.
        """
        if not asks:
            return Outcome(answers=())
        self.load()
        asked = partial(self._asked, self._opened())
        with ThreadPoolExecutor(min(self._at_once, len(asks)), thread_name_prefix="sprout-openai") as threads:
            try:
                replies = list(threads.map(asked, asks))
            except BaseException:  # an interrupt must not wait until the server has answered all
                threads.shutdown(wait=False, cancel_futures=True)
                self.unload()
                raise
        self._require_up(replies)
        shares = parts_of_one(weights(replies))
        answers = [self._answered(*each, replies) for each in zip(asks, replies, shares, strict=True)]
        return Outcome(
            answers=tuple(answers), energy=None if self._host_devices else estimated(replies, self._j_per_token)
        )

    def close(self) -> None:
        """Close the connections, for good."""
        self.unload()
        self._closed = True

    @property
    def _url_shown(self) -> str:
        return urlsplit(self._url).netloc

    def _opened(self) -> HttpApi:
        if self._api is None:
            self._api = HttpApi(
                base_url=self._url,
                name=self.name,
                timeout_s=self._timeout_s,
                credentials=self._credentials,
                judge=rejected,
                retrying=_RETRYING,
                breaker=self._breaker,
                connections=self._at_once,
                quoting=False,  # its words may be those of a prompt
                monotonic_s=self._monotonic_s,
                sleep=self._sleep,
            )
        return self._api

    def _post(self, body: Mapping[str, Any]) -> Any:
        return self._opened().post_json(PATH, body)

    def _is_ours(self, completion: Completion | None, listed: Sequence[str]) -> bool:
        """Whether a model that is not listed answered all the same."""
        if completion is None:
            return False
        # `transformers serve` lists what the hub's cache holds, not the folder it was started with, and names that with
        # its revision; others answer whatever they are asked for, and repeat the name.
        with_revision = (completion.model or "").startswith(f"{self.model}@")
        return with_revision or (not listed and completion.model in (None, self.model))

    def _asked(self, api: HttpApi, ask: Ask) -> Reply:
        begun_s = self._monotonic_s()
        if (argument := unpassable(ask.arguments)) is not None:
            fault = ValueError(f"an OpenAI-compatible server cannot be given {argument}")
            return Reply(begun_s, begun_s, fault=fault)
        try:
            completion = Completion.read(api.post_json(PATH, posted(ask, self.model)))
        except SourceError as exc:
            return Reply(begun_s, self._monotonic_s(), fault=exc)
        ended_s = self._monotonic_s()
        if completion is None:
            return Reply(begun_s, ended_s, fault=SourceError(f"{self.name}: what it answered is no completion"))
        return Reply(begun_s, ended_s, completion)

    def _require_up(self, replies: Sequence[Reply]) -> None:
        asked = [reply for reply in replies if not isinstance(reply.fault, ValueError)]
        if not asked or any(reply.completion is not None for reply in asked):
            return
        try:
            token = self._probe.ask()
        except SourceError as exc:
            raise self._unavailable(exc) from exc
        if token is None:
            self._checked = False
            raise EngineUnavailable(f"{self.name}: {self._url_shown} answers no chat completion. Check engine_url")

    def _unavailable(self, fault: object, listed: Sequence[str] = ()) -> EngineUnavailable:
        self._checked = False
        if isinstance(fault, Rejected):
            said = f"{self.name}: {self._url_shown} answered {fault.status} for model {self.model!r}{_has(listed)}"
            return EngineUnavailable(f"{said}. {advice(fault.status)}")
        return EngineUnavailable(f"{fault}. Check that the server runs and that engine_url is its address")

    def _answered(self, ask: Ask, reply: Reply, share: float, replies: Sequence[Reply]) -> Answered:
        done = reply.completion
        if done is None:
            return Answered(
                error=f"{type(reply.fault).__name__}: {reply.fault}", for_good=reply.fails_again, share=share
            )
        added = self._probe.instruction_tokens(ask)
        known = done.prompt_tokens is not None and added is not None
        return Answered(
            text=done.text,
            prompt_tokens=(done.prompt_tokens or 0) - (added or 0) if known else None,
            instruction_tokens=added or 0,
            new_tokens=done.new_tokens,
            finish_reason=finish_of(done, ask),
            limit_tokens=limit_of(ask),
            batch_size=together(reply, replies),
            engine_s=reply.ended_s - reply.begun_s,
            share=share,
        )


def models_of(url: str, *, key: str | None = None) -> list[str]:
    """The models that the server at a URL says it has; empty where it does not say, or does not answer.

    Raises:
        SettingError: as in `OpenAIServer`.
    """
    asked = OpenAIServer(url, "", key=key)
    try:
        return asked.models()
    finally:
        asked.close()


def _has(models: Sequence[str]) -> str:
    return f"; it has {', '.join(models)}" if models else ""
