"""Runs one turn through `CarbonAware`, exactly as a request of the user's would run."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from directives import FULL
from sprout_like.calibrate.grid import Workload
from sprout_like.calibrate.sample import Sample
from sprout_like.calibrate.schedule import Turn
from sprout_like.errors import SproutError
from sprout_like.ledger import Ledger
from sprout_like.ledger.rows import Record
from sprout_like.middleware import CarbonAware
from sprout_like.record import RequestRecord

__all__ = ["AwareRunner", "LastRow", "NotServed", "Runner"]


class NotServed(SproutError):
    """`full` was served instead of the directive; the message is the row's reason."""


class Runner(Protocol):
    """Runs turns."""

    def refusals(self, workload: Workload) -> Mapping[str, str]:
        """Why directives cannot be applied to the workload's calls, by their names."""
        ...

    def run(self, turn: Turn, workload: Workload, limit_tokens: int) -> Sample:
        """Measure one call.

        Raises:
            NotServed: the directive could not be applied after all.
            Exception: whatever the model raises.
        """
        ...


class LastRow:
    """A ledger that passes everything on and remembers the last request's row.

    Args:
        ledger: where the rows go.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.row: RequestRecord | None = None

    @property
    def name(self) -> str:
        """The ledger's own."""
        return self._ledger.name

    def append(self, record: Record) -> None:
        """Remember a request's row, and pass it on."""
        if isinstance(record, RequestRecord):
            self.row = record
        self._ledger.append(record)

    def tick(self) -> None:
        """The ledger's own."""
        self._ledger.tick()

    def flush(self) -> int:
        """The ledger's own."""
        return self._ledger.flush()

    def close(self) -> None:
        """The ledger's own."""
        self._ledger.close()


class AwareRunner:
    """Single requests go through `chat`, batches and models without a chat template through `generate`.

    Args:
        aware: serves the calls. rows: the ledger that it was given.
        tokenizer: the model's; a copy of it pads on the left, as decoder-only models need it.
        device: where the model's inputs go.
    """

    def __init__(self, aware: CarbonAware, rows: LastRow, tokenizer: Any, *, device: Any) -> None:
        self._aware = aware
        self._rows = rows
        self._device = device
        self._tokenizer = copy.deepcopy(tokenizer)
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    def refusals(self, workload: Workload) -> Mapping[str, str]:
        """Of the first round's call."""
        prompts = [workload.prompts[index] for index in workload.asked(0)]
        greedy = _greedy(workload.limit_tokens)
        if self._chats(prompts):
            return self._aware.refusals(messages=_messages(prompts[0]), **greedy)
        return self._aware.refusals(**self._encoded(prompts), **greedy)

    def run(self, turn: Turn, workload: Workload, limit_tokens: int) -> Sample:
        """One greedy call, logged as a calibration."""
        asked = workload.asked(turn.round_number)
        prompts = [workload.prompts[index] for index in asked]
        view = self._aware.using(policy=turn.slot.directive, task=workload.task, purpose="calibration")
        self._rows.row = None
        answers = self._answers(view, prompts, limit_tokens)
        row: RequestRecord | None = self._rows.row
        if row is None:
            raise NotServed("its row was lost")
        if row.directive != turn.slot.directive and turn.slot.directive != FULL.name:
            raise NotServed(row.decision_reason or "full was served instead")
        return Sample(turn=turn, prompts=asked, answers=answers, limit_tokens=limit_tokens, record=row)

    def _answers(self, view: CarbonAware, prompts: Sequence[str], limit_tokens: int) -> tuple[str, ...]:
        if self._chats(prompts):
            return (view.chat(_messages(prompts[0]), **_greedy(limit_tokens)).text,)
        encoded = self._encoded(prompts)
        output = view.generate(**encoded, **_greedy(limit_tokens))
        new = getattr(output, "sequences", output)[:, encoded["input_ids"].shape[1] :]
        return tuple(text.strip() for text in self._tokenizer.batch_decode(new, skip_special_tokens=True))

    def _chats(self, prompts: Sequence[str]) -> bool:
        return len(prompts) == 1 and bool(self._tokenizer.chat_template)

    def _encoded(self, prompts: Sequence[str]) -> dict[str, Any]:
        tokenizer = self._tokenizer
        if not tokenizer.chat_template:
            return dict(tokenizer(list(prompts), return_tensors="pt", padding=True).to(self._device))
        encoded = tokenizer.apply_chat_template(
            [_messages(prompt) for prompt in prompts],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
            padding=True,
        )
        return dict(encoded.to(self._device))


def _messages(prompt: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": prompt}]


def _greedy(limit_tokens: int) -> dict[str, Any]:
    return {"max_new_tokens": limit_tokens, "do_sample": False}
