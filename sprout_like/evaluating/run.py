"""The evaluation itself: answer each prompt in full and under each directive, and have the pairs judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from directives import FULL, FixedPolicy, Observation
from directives.evaluation import Sampling
from directives.workload import Bin, bin_of
from sprout_like.clock import Clock
from sprout_like.errors import SproutError
from sprout_like.evaluating.evaluation import Sheet, Verdict
from sprout_like.evaluating.prompt import Prompt
from sprout_like.judges.judge import Case, Judge
from sprout_like.middleware import CarbonAware
from sprout_like.record import RequestRecord
from sprout_like.serving import Reply

__all__ = ["Step", "evaluate"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Step:
    """What happens next, for a progress bar.

    Attributes:
        number: of the prompt, from 0. most: prompts there are at most.
        directive: whose answer comes. verdicts_n: judged so far.
    """

    number: int
    most: int
    directive: str
    verdicts_n: int


def evaluate(
    sheet: Sheet,
    aware: CarbonAware,
    prompts: Sequence[Prompt],
    judge: Judge,
    directives: Iterable[str],
    *,
    sampling: Sampling,
    clock: Clock,
    rng: Random,
    most_prompts: int | None = None,
    on_step: Callable[[Step], None] = lambda _: None,
) -> None:
    """Judge until everything is known well enough or the prompts are used up, and write it into `sheet` as it comes.

    Every generation is a row with purpose `evaluation`. A prompt of the traffic has its served answer judged, which is
    the quality that was delivered; under the other directives, and from a file, answers are generated to be judged. The
    same question under the same call is judged once per directive.

    Args:
        sheet: filled step by step.
        aware: generates. Its policy is not asked.
        prompts: drawn in random order, those of the traffic first: only they tell what was delivered.
        judge: scores the pairs.
        directives: names of those to judge beside `full`.
        sampling: when a directive is known well enough on a task.
        clock: for stamps.
        rng: for the order.
        most_prompts: prompts answered at most; None for all.
        on_step: called before each generation.

    Raises:
        JudgeError: the judge cannot judge at all.
        SproutError: the prompts cannot be asked at all, as without a chat template.
    """
    names = [name for name in dict.fromkeys(directives) if name != FULL.name]
    run = _Run(sheet, aware, judge, names, sampling, clock, on_step)
    drawn = sorted(rng.sample(prompts, len(prompts)), key=lambda prompt: prompt.served is None)
    run.most = len(drawn) if most_prompts is None else min(most_prompts, len(drawn))
    try:
        for prompt in drawn:
            wanted = run.wanted(prompt)
            if wanted and sheet.prompts_n == run.most:
                sheet.ended = "limit"
                return
            if wanted:
                run.ask(prompt, wanted)
        sheet.ended = "settled" if run.all_settled(drawn) else "prompts"
    except SproutError:
        sheet.ended = "failed"
        raise


class _Run:
    """What the steps share."""

    def __init__(
        self,
        sheet: Sheet,
        aware: CarbonAware,
        judge: Judge,
        names: Sequence[str],
        sampling: Sampling,
        clock: Clock,
        on_step: Callable[[Step], None],
    ) -> None:
        self._sheet = sheet
        self._aware = aware
        self._judge = judge
        self._names = names
        self._sampling = sampling
        self._clock = clock
        self._on_step = on_step
        self._done: set[tuple[str, str]] = set()
        self._settled: set[tuple[str, str]] = set()
        self.most = 0

    def all_settled(self, prompts: Iterable[Prompt]) -> bool:
        """Whether every directive is known well enough on every task."""
        tasks = {prompt.task or "" for prompt in prompts}
        return all((name, task) in self._settled for name in self._names for task in tasks)

    def ask(self, prompt: Prompt, wanted: Sequence[str]) -> None:
        """Have the pairs of one prompt judged."""
        refused = self._tried(
            FULL.name,
            lambda: self._aware.refusals(messages=prompt.messages, template=prompt.template, **prompt.arguments),
        )
        if refused is not None and (full := self._generated(prompt, FULL.name)) is not None:
            number = self._sheet.prompts_n
            self._sheet.prompts_n += 1
            for name in wanted:
                self._judge_one(prompt, name, full, number, refused)
        if prompt.served is not None:
            self._sheet.judged_prompts.append(prompt.served.prompt_id)

    def wanted(self, prompt: Prompt) -> list[str]:
        """Directives to judge on it: what was served always, others while they are not known well enough."""
        served = None if prompt.served is None else prompt.served.directive
        identity = prompt.identity
        return [
            name
            for name in self._names
            if (identity, name) not in self._done and (name == served or (name, prompt.task or "") not in self._settled)
        ]

    def _judge_one(self, prompt: Prompt, name: str, full: Reply, number: int, refused: Mapping[str, str]) -> None:
        served = prompt.served if prompt.served is not None and prompt.served.directive == name else None
        if served is not None:
            answer = served.answer
        elif name in refused:
            self._drop(name, refused[name])
            return
        else:
            reply = self._generated(prompt, name)
            if reply is None:
                return
            answer = reply.text
        case = Case(messages=prompt.messages, answer=answer, full_answer=full.text, reference=prompt.reference)
        ruling = self._judge.rule(case)
        self._done.add((prompt.identity, name))
        task = prompt.task or ""
        scores = self._sheet.ruled(ruling, full.record.intensity_g_per_kwh)
        if scores is None:
            return
        self._sheet.judged(
            Verdict(
                judged_utc=self._clock.now_utc(),
                prompt_number=number,
                request_id=None if served is None else served.request_id,
                directive=name,
                bin=_bin(full.record),
                score=scores[0],
                full_score=scores[1],
            ),
            task,
        )
        if self._sampling.enough(self._sheet.scores[name, task]) is not None:
            self._settled.add((name, task))

    def _generated(self, prompt: Prompt, name: str) -> Reply | None:
        """The answer under a directive; None where it could not be had, which is noted."""
        self._on_step(Step(self._sheet.prompts_n, self.most, name, len(self._sheet.verdicts)))
        view = self._aware.using(policy=FixedPolicy(name), task=prompt.task, purpose="evaluation")
        reply = self._tried(
            name, lambda: view.chat(list(prompt.messages), template=prompt.template, **prompt.arguments)
        )
        if reply is None:
            return None
        self._sheet.rows.append(reply.record)
        if reply.record.directive != name:
            self._drop(name, reply.record.decision_reason or "full was served instead")
            return None
        return reply

    def _tried(self, name: str, ask: Callable[[], _T]) -> _T | None:
        try:
            return ask()
        except SproutError:
            raise
        except Exception as exc:  # noqa: BLE001 - the model's own error, on this prompt; the others are still worth asking
            self._drop(name, f"it failed with {type(exc).__qualname__}")
            return None

    def _drop(self, name: str, reason: str) -> None:
        self._sheet.dropped[f"{name}: {reason}"] += 1


def _bin(full: RequestRecord) -> Bin:
    """The prompt's bin: under `full` lengths and limit are the caller's own."""
    return bin_of(
        Observation(
            task=full.task or full.inferred_task,
            prompt_tokens=full.prompt_tokens,
            limit_tokens=full.caller_limit_tokens,
            batch_size=full.batch_size,
        )
    )
