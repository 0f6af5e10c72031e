"""Batches of a model in this process, padded on the left: what any decoder can do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from directives import Directive
from sprout_like.engines.compiling import watch_compilation
from sprout_like.engines.engine import Pausable
from sprout_like.engines.hugging_face import HuggingFaceEngine
from sprout_like.engines.locks import hold_all
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.asked import Asked, fault, prepared, unbatchable
from sprout_like.jobs.engines.calls import Calls
from sprout_like.jobs.engines.engine import Answered, Ask, Outcome
from sprout_like.jobs.engines.holding import Holder, Load, free_memory, is_out_of_memory
from sprout_like.jobs.engines.padding import run_padded
from sprout_like.jobs.engines.probing import answers_alike
from sprout_like.jobs.engines.sharing import Pass, static_passes
from sprout_like.jobs.engines.tally import Tally, answered

__all__ = ["PaddedEngine"]


class PaddedEngine:
    """Runs batches through the model's own `generate`; every row has its own limit and its own directive.

    Prompts whose arguments cannot be shared (beams, say) run one after the other.

    Args:
        load: gives the model, where it is to run, and its tokenizer; called by `load`, again after `unload`.
        model: its name or path, as stored in rows.
        device: where it will sit, as metered: `cpu` or a GPU's UUID; once it is loaded it is asked itself.
        monotonic_s: clock of the steps, in s.
    """

    name = "padded"

    def __init__(
        self,
        load: Load,
        *,
        model: str,
        device: str = "cpu",
        monotonic_s: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._holder = Holder(load, model=model, device=device)
        self._monotonic_s = monotonic_s
        self._pads = True
        self._calls = Calls()

    @property
    def model(self) -> str:
        """As given."""
        return self._holder.model

    @property
    def family(self) -> str | None:
        """`config.model_type`; None until the model was loaded."""
        return self._holder.family

    def devices(self) -> tuple[str, ...]:
        """Where the model sits, or will."""
        return self._holder.devices()

    def load(self) -> None:
        """Load the model, and try padding on it.

        Raises:
            EngineUnavailable: it cannot be loaded, or cannot answer.
            SettingError: it is no model.
        """
        if self._holder.runner is None:
            self._pads = self._answers_alike(self._pad)

    def unload(self) -> None:
        """Let go of the model."""
        self._calls = Calls()
        self._holder.unload()

    def prompt_tokens(self, ask: Ask) -> int | None:
        """Tokens of the rendered prompt; None where it cannot be rendered, or nothing is loaded."""
        if self._holder.runner is None:
            return None
        try:
            return self._calls.of(self._holder.runner, ask).prompt_tokens
        except Exception:  # noqa: BLE001 - a chat template raises what it likes; `run` tells of it
            return None

    def refusal(self, directive: Directive, ask: Ask) -> str | None:
        """What no batch can have, then the first knob's reason."""
        if not directive.knobs:
            return None
        if (why := unbatchable(directive)) is not None:
            return why
        if self._holder.runner is None:
            return "the model is not loaded"
        try:
            call = self._calls.of(self._holder.runner, ask)
        except Exception as exc:  # noqa: BLE001 - a chat template raises what it likes
            return f"the prompt cannot be rendered ({type(exc).__name__})"
        return self._holder.runner.refusal(directive, call)

    def run(self, asks: Sequence[Ask], window: Pausable) -> Outcome:
        """Run together what can share one `generate`, group by group."""
        self.load()
        runner = self._holder.load()
        tally = Tally(len(asks), self._monotonic_s())
        rows = []
        for place, ask in enumerate(asks):
            try:
                rows.append(prepared(runner, place, ask.directive, self._calls.of(runner, ask)))
            except Exception as exc:  # noqa: BLE001 - a chat template raises what it likes
                tally.answer(place, fault(exc))
        with watch_compilation(window.pause, window.resume):
            for group in self._groups(rows):
                self._run_group(runner, group, tally, window)
        return tally.outcome(self._monotonic_s())

    def close(self) -> None:
        """Let go of the model."""
        self.unload()

    def _groups(self, rows: Sequence[Asked]) -> list[list[Asked]]:
        groups: dict[object, list[Asked]] = {}
        for row in rows:
            groups.setdefault(row.place if row.company is None else self._company(row), []).append(row)
        return list(groups.values())

    def _company(self, row: Asked) -> object:
        """What rows that run together have in common; their length too, where the model cannot be padded."""
        return row.company if self._pads else (row.company, len(row.ids))

    def _answers_alike(self, run: Callable[[Sequence[Asked]], list[list[int]]]) -> bool:
        runner = self._holder.load()
        try:
            return answers_alike(runner, run)
        except Exception as exc:
            self.unload()
            raise EngineUnavailable(
                f"{self.model}: the model is loaded and cannot answer ({exc}). Check the memory that is free, "
                "and that it is a decoder"
            ) from exc

    def _pad(self, rows: Sequence[Asked]) -> list[list[int]]:
        return run_padded(rows, self._monotonic_s).tokens

    def _run_group(self, runner: HuggingFaceEngine, rows: Sequence[Asked], tally: Tally, window: Pausable) -> None:
        """Run rows that go together; where they fail, each alone, so that one of them does not spoil the others."""
        started_s = self._monotonic_s()
        failed = self._failure(runner, rows, tally, window)
        if failed is None:
            return
        spent_s = self._monotonic_s() - started_s
        tally.ran([Pass(spent_s, dict.fromkeys(range(len(rows)), 1.0))], [row.place for row in rows])
        if len(rows) == 1:
            tally.answer(rows[0].place, failed)
        else:
            for row in rows:
                self._run_group(runner, [row], tally, window)

    def _failure(
        self, runner: HuggingFaceEngine, rows: Sequence[Asked], tally: Tally, window: Pausable
    ) -> Answered | None:
        """Run rows that go together; why they could not be, None where they were."""
        try:
            with hold_all(model for row in rows for model in row.plan.models):
                if rows[0].company is None:
                    self._run_alone(runner, rows[0], tally, window)
                else:
                    self._run_together(runner, rows, tally)
        except Exception as exc:  # noqa: BLE001 - `generate` raises what the model and its arguments make it raise
            if not is_out_of_memory(exc):
                return fault(exc)
        else:
            return None
        free_memory()  # after the block above, whose exception kept the batch's tensors
        tokens = sum(len(row.ids) + row.limit_tokens for row in rows)
        raise BatchTooLarge(f"{self.model}: {len(rows)} prompts of up to {tokens} tokens do not fit into memory")

    def _run_together(self, runner: HuggingFaceEngine, rows: Sequence[Asked], tally: Tally) -> None:
        ran = run_padded(rows, self._monotonic_s)
        counts = [len(tokens) for tokens in ran.tokens]
        steps_s = [end_s - start_s for start_s, end_s in pairwise([ran.started_s, *ran.steps_at_s])]
        passes = static_passes([len(row.ids) for row in rows], counts, prefill_s=steps_s[0], decode_s=steps_s[1:])
        tally.ran(passes, [row.place for row in rows])
        going = [sum(count > step for count in counts) for step in range(max(counts))]
        for row, tokens in zip(rows, ran.tokens, strict=True):
            last_s = ran.steps_at_s[len(tokens) - 1]
            answer = answered(
                runner,
                row,
                tokens,
                batch_size=round(sum(going[: len(tokens)]) / len(tokens)),
                first_token_s=ran.steps_at_s[0] - tally.began_s,
                engine_s=last_s - ran.started_s,
            )
            tally.answer(row.place, answer, residency_s=last_s - ran.started_s)

    def _run_alone(self, runner: HuggingFaceEngine, row: Asked, tally: Tally, window: Pausable) -> None:
        started_s = self._monotonic_s()
        generation = runner.run(row.limited(), row.call, window)
        runner.synchronize()
        spent_s = self._monotonic_s() - started_s
        tally.ran([Pass(spent_s, {0: 1.0})], [row.place])
        tokens = (generation.answers or [[]])[0]
        answer = answered(runner, row, tokens, reason=generation.finish_reason, engine_s=spent_s)
        tally.answer(row.place, answer, residency_s=spent_s)
