"""What came of each prompt of a batch at a server, and what can be told of the batch from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from grid.errors import SourceError
from sprout_like.jobs.engines.openai_chat import Completion, Rejected
from sprout_like.meters import UNKNOWN, Energy

__all__ = ["Reply", "advice", "estimated", "is_local", "together", "weights"]

_WHAT_TO_DO: Final[Mapping[int, str]] = {
    401: "Set engine_key to a key that it knows",
    402: "Its account has no credit left",
    403: "Check what engine_key may use",
    404: "Check that engine_url ends where /chat/completions begins, as in …/v1, and the model's name",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of one prompt: a completion or a fault, and when it was asked and answered, in monotonic s."""

    begun_s: float
    ended_s: float
    completion: Completion | None = None
    fault: SourceError | ValueError | None = None

    @property
    def fails_again(self) -> bool:
        """Whether the prompt would fail again, whoever else is answered."""
        return isinstance(self.fault, ValueError) or (isinstance(self.fault, Rejected) and self.fault.of_the_prompt)


def weights(replies: Sequence[Reply]) -> list[float]:
    """Tokens read and written for each prompt; 1 for each that was answered, where the server does not count all."""
    done = [reply.completion for reply in replies]
    if any(c is not None and (c.prompt_tokens is None or c.new_tokens is None) for c in done):
        return [float(c is not None) for c in done]
    return [0.0 if c is None else float((c.prompt_tokens or 0) + (c.new_tokens or 0)) for c in done]


def together(reply: Reply, replies: Sequence[Reply]) -> int:
    """How many of ours were underway at the server, on average over this one's time."""
    whole_s = reply.ended_s - reply.begun_s
    if whole_s <= 0:
        return 1
    shared_s = sum(max(0.0, min(reply.ended_s, r.ended_s) - max(reply.begun_s, r.begun_s)) for r in replies)
    return max(1, round(shared_s / whole_s))


def estimated(replies: Sequence[Reply], j_per_token: float | None) -> Energy:
    """New tokens times J per token; `UNKNOWN` without that, or where the server does not count all."""
    counts = [reply.completion.new_tokens for reply in replies if reply.completion is not None]
    if j_per_token is None or None in counts:
        return UNKNOWN
    return Energy(energy_j=j_per_token * sum(filter(None, counts)), method="estimated")


def is_local(url: str) -> bool:
    """Whether the server is on this machine, so that its meter sees what the answers took."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def advice(status: int) -> str:
    """What to do about a status that meets every prompt."""
    if 300 <= status < 400:
        return "Give engine_url as it redirects to: a key is not sent after a redirect"
    return _WHAT_TO_DO.get(status, "Check engine_url and the model's name")
