"""The opt-in sample of the traffic: prompts and served answers, kept for a while so that they can be judged."""

from __future__ import annotations

import json
import threading
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, insert

from directives import Uniform
from sprout_like.clock import Clock
from sprout_like.evaluating.kept import forget
from sprout_like.ledger.exchange import FAULTS, Exchange
from sprout_like.ledger.schema import PromptRow
from sprout_like.serving import Reply

__all__ = ["MOST_CHARACTERS", "MOST_WAITING", "Sampler"]

MOST_WAITING: Final = 256
"""Prompts in memory that are not written yet; in a long outage the oldest go."""

MOST_CHARACTERS: Final = 1 << 16
"""Longest prompt with its answer, as JSON: together with `MOST_WAITING` it bounds the memory to some 16 MiB."""

_FORGET_EVERY_S: Final = 60.0

_OF_THE_CALLER: Final = frozenset({"streamer"})
"""Arguments of `generate` without which the same answer comes."""


class Sampler:
    """Keeps a share of the chat requests in the table `prompts`, and deletes what has expired there.

    `offer` only draws and, for the few that are drawn, keeps a copy in memory; the database is met in `tick`.

    Args:
        engine: of the ledger's database; this object's own.
        share: of the requests, in (0, 1].
        keep: how long a prompt stays.
        clock: for stamps, and the time between writes.
        rng: draws; one of its own, so that sampling changes no decision.
    """

    def __init__(self, engine: Engine, *, share: float, keep: timedelta, clock: Clock, rng: Uniform) -> None:
        self._engine = engine
        self._share = share
        self._keep = keep
        self._clock = clock
        self._rng = rng
        self._lock = threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MOST_WAITING)
        self._next_forget_s = 0.0
        says = f"sampled prompts cannot be written; the newest {MOST_WAITING} wait in memory until it is back"
        self._database = Exchange(engine, clock, self._exchange, says=says, forked=self._take)

    def offer(
        self,
        messages: Sequence[Mapping[str, Any]],
        template: Mapping[str, Any] | None,
        arguments: Mapping[str, Any],
        reply: Reply,
    ) -> None:
        """Perhaps keep a request that was served; one that cannot be asked again as it was is left out.

        Args:
            messages: the conversation.
            template: of the chat template, as `chat` was given it.
            arguments: of `generate`, likewise.
            reply: what came of it.
        """
        if reply.record.purpose != "request" or self._rng.random() >= self._share:
            return
        repeated = {name: value for name, value in arguments.items() if name not in _OF_THE_CALLER}
        row = _copied(messages, template or {}, repeated, reply.record.task, reply.text)
        if row is None:
            return
        record, now_utc = reply.record, self._clock.now_utc()
        row |= {
            "prompt_id": uuid.uuid4().hex,
            "request_id": record.request_id,
            "taken_utc": now_utc,
            "expires_utc": now_utc + self._keep,
            "model": record.model,
            "catalogue_version": record.catalogue_version,
            "directive": record.directive,
            "judged_utc": None,
        }
        with self._lock:
            self._waiting.append(row)

    def tick(self) -> None:
        """Write what waits and delete what has expired, where it is time."""
        self._database.tick()

    def close(self) -> None:
        """Write what waits; tried once."""
        self._database.close()

    def _exchange(self) -> None:
        taken = self._take()
        now_s = self._clock.monotonic_s()
        try:
            self._write(taken, self._clock.now_utc())
            if now_s >= self._next_forget_s:
                forget(self._engine, expired_utc=self._clock.now_utc())
                self._next_forget_s = now_s + _FORGET_EVERY_S
        except FAULTS:
            self._keep_waiting(taken)
            raise

    def _write(self, rows: Sequence[Mapping[str, Any]], now_utc: datetime) -> None:
        alive = [row for row in rows if row["expires_utc"] > now_utc]
        if alive:
            with self._engine.begin() as connection:
                connection.execute(insert(PromptRow), alive)

    def _take(self) -> list[dict[str, Any]]:
        with self._lock:
            taken = list(self._waiting)
            self._waiting.clear()
        return taken

    def _keep_waiting(self, taken: Sequence[dict[str, Any]]) -> None:
        with self._lock:
            newer = list(self._waiting)
            self._waiting.clear()
            self._waiting.extend([*taken, *newer])  # the oldest fall out where there are too many


def _copied(
    messages: Sequence[Mapping[str, Any]],
    template: Mapping[str, Any],
    arguments: Mapping[str, Any],
    task: str | None,
    answer: str,
) -> dict[str, Any] | None:
    """A copy that outlives the caller's objects; None where it is no text, too long, or nothing a database can hold."""
    if not all(isinstance(message.get("content"), str) for message in messages):
        return None
    parts = {"messages": list(messages), "template": template, "arguments": arguments, "task": task, "answer": answer}
    try:
        text = json.dumps(parts, allow_nan=False, ensure_ascii=False)
        text.encode()  # half a surrogate pair has no UTF-8
    except (TypeError, ValueError, RecursionError):
        return None
    if len(text) > MOST_CHARACTERS or r"\u0000" in text:  # PostgreSQL takes no NUL
        return None
    copied: dict[str, Any] = json.loads(text)
    return copied
