"""One batch of a job, from the claimed items to their rows and answers. Read `BatchRunner.run` top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from directives import Observation, Policy
from grid import Look
from sprout_like import carbon
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask, Outcome
from sprout_like.jobs.job import Answer, Claim, Failure, Item, Job
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.jobs.working.rows import Drawn, answer_of, row_of, share_of
from sprout_like.meters import UNKNOWN, Energy, Window, charged_devices
from sprout_like.record import RequestRecord

__all__ = ["BatchDone", "BatchRunner"]

_LOG = logging.getLogger("sprout_like")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchDone:
    """What came of a batch.

    Attributes:
        answers, failures: of its items. new_tokens: of the answers.
        time_s: from its start to its end. energy_j, operational_g: of the whole batch; None where unknown.
        most: the largest batch that fitted, where one did not; None where all did.
        unavailable: why the rest of the items have neither; they are to be given back. None where all have.
    """

    answers: tuple[Answer, ...]
    failures: tuple[Failure, ...]
    new_tokens: int
    time_s: float
    energy_j: float | None
    operational_g: float | None
    most: int | None = None
    unavailable: EngineUnavailable | None = None


@dataclass(slots=True)
class _Tally:
    """What a batch has come to so far.

    Attributes:
        energies_j: of the windows whose energy rows tell of; None where one could not be read.
        fitted: size of the largest part that ran. too_large: whether one did not fit into memory.
    """

    answers: list[Answer] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    energies_j: list[float | None] = field(default_factory=list)
    fitted: int = 0
    too_large: bool = False

    @property
    def done(self) -> int:
        """Items that have an answer or have failed."""
        return len(self.answers) + len(self.failures)

    def add(self, drawn: Drawn, answered: Answered, record: RequestRecord) -> None:
        """Add an item whose row is written."""
        if answered.text is not None:
            self.answers.append(answer_of(drawn, answered, record))
            return
        error = answered.error or "no answer"
        self.failures.append(Failure(place=drawn.item.place, error=error, for_good=answered.for_good))


class BatchRunner:
    """Runs batches of claimed items on one engine."""

    def __init__(self, parts: WorkingParts) -> None:
        self._parts = parts
        self._guard = parts.guard()
        self._policies: dict[str, Policy] = {}
        self._charged: dict[tuple[str, ...], tuple[str, ...]] = {}

    def open_window(self, requests_n: int = 1) -> Window:
        """A metering window on what the engine sits on now; without energy where that cannot be read."""
        parts, sits_on = self._parts, self._parts.engine.devices() or ()
        if sits_on not in self._charged:
            charged = charged_devices(parts.accounts.devices, sits_on)
            if charged is None and sits_on:
                _LOG.warning(
                    "the engine sits on %s, which meter %s cannot read: energy is unknown. Run `sprout-like doctor`",
                    ", ".join(sits_on),
                    parts.accounts.meter_name,
                )
            self._charged[sits_on] = charged or ()
        return parts.accounts.open(self._charged[sits_on], owner=parts.ledger.name, requests_n=requests_n)

    def run(self, job: Job, claim: Claim) -> BatchDone:
        """Answer the claimed items; writes their rows, and leaves the queue to the caller.

        Raises:
            EngineUnavailable: the engine does not answer, and no item was answered before; they are to be given back.
            SettingError: the job names a policy that there is not.
        """
        parts = self._parts

        # 1 look: the intensity from memory alone; may be stale or unknown, and says so
        look, started_utc = self._guard.look(parts.grid), parts.clock.now_utc()

        # 2 filter and choose, item by item: the draw is among what fits, so that its propensity is the true one
        drawn = [self._drawn(job, item, look, len(claim.items)) for item in claim.items]

        # 3 run: the whole, or where that does not go, its halves
        tally = _Tally()
        left: list[Sequence[Drawn]] = [drawn]
        unavailable: EngineUnavailable | None = None
        begun_s = parts.clock.monotonic_s()
        while left and unavailable is None:
            some = left.pop()
            tried_s = parts.clock.monotonic_s()
            try:
                outcome, energy = self._metered([each.ask for each in some])
            except EngineUnavailable as exc:
                if not tally.done:
                    raise
                unavailable = exc
            except Exception as exc:  # noqa: BLE001 - one prompt that an engine stumbles over must not hold up all others
                time_s = parts.clock.monotonic_s() - tried_s
                left += self._halves(some, exc, tally, job, look, started_utc, time_s)
            else:
                # 4 account, 5 log, as soon as it was metered: each item has the share that it took, and a row
                time_s = parts.clock.monotonic_s() - tried_s
                for each, answered in zip(some, outcome.answers, strict=True):
                    part = share_of(energy, answered.share), time_s * answered.share
                    tally.add(each, answered, self._logged(job, each, answered, *part, look, started_utc))
                tally.energies_j.append(energy.energy_j)
                tally.fitted = max(tally.fitted, len(some))
        g_per_kwh = None if look.intensity is None else look.intensity.g_per_kwh
        energy_j = None if None in tally.energies_j else sum(each or 0.0 for each in tally.energies_j)
        return BatchDone(
            answers=tuple(tally.answers),
            failures=tuple(tally.failures),
            new_tokens=sum(answer.new_tokens or 0 for answer in tally.answers),
            time_s=parts.clock.monotonic_s() - begun_s,
            energy_j=energy_j,
            operational_g=carbon.operational_g(energy_j, g_per_kwh, parts.settings.pue),
            most=max(tally.fitted, 1) if tally.too_large else None,
            unavailable=unavailable,
        )

    def _halves(
        self,
        some: Sequence[Drawn],
        exc: Exception,
        tally: _Tally,
        job: Job,
        look: Look,
        started_utc: datetime,
        time_s: float,
    ) -> list[Sequence[Drawn]]:
        """What is to be tried instead, the last first; nothing where a single prompt has failed.

        What the failed attempt took is overhead, so that the prompt's own row has no energy.
        """
        too_large = isinstance(exc, BatchTooLarge)
        tally.too_large = tally.too_large or too_large
        said = str(exc) if too_large else f"a batch of {len(some)} failed with {type(exc).__qualname__}"
        _LOG.warning("%s%s", said, "; its halves are tried" if len(some) > 1 else "")
        if len(some) > 1:
            return [some[len(some) // 2 :], some[: len(some) // 2]]
        error = f"BatchTooLarge: {exc}" if too_large else type(exc).__qualname__
        answered = Answered(error=error, for_good=too_large)
        tally.add(some[0], answered, self._logged(job, some[0], answered, UNKNOWN, time_s, look, started_utc))
        return []

    def _drawn(self, job: Job, item: Item, look: Look, rows: int) -> Drawn:
        parts, task = self._parts, item.task or job.task
        policy = self._guard.current(self._policy(job.policy or parts.settings.policy))
        ask = Ask(
            messages=item.messages,
            template=item.template,
            arguments=item.arguments,
            directive=parts.catalogue["full"],
        )
        candidates = self._guard.candidates(policy, ask)
        tokens = parts.engine.prompt_tokens(ask)
        observation = Observation(
            intensity_g_per_kwh=None if look.intensity is None else look.intensity.g_per_kwh,
            task=task,
            prompt_tokens=None if tokens is None else tokens * rows,
            limit_tokens=item.limit_tokens,
            batch_size=rows,
        )
        decision = self._guard.choose(policy, observation, candidates)
        ask = replace(ask, directive=parts.catalogue[decision.directive])
        return Drawn(item, ask, task, candidates, decision, policy)

    def _policy(self, spec: str) -> Policy:
        if spec not in self._policies:
            self._policies[spec] = self._parts.open_policy(spec)
        return self._policies[spec]

    def _metered(self, asks: Sequence[Ask]) -> tuple[Outcome, Energy]:
        window = self.open_window(len(asks))
        try:
            outcome = self._parts.engine.run(asks, window)
        except BaseException:
            window.drop()
            raise
        finally:
            energy = window.close()
        return outcome, energy if outcome.energy is None else outcome.energy

    def _logged(
        self,
        job: Job,
        drawn: Drawn,
        answered: Answered,
        energy: Energy,
        batch_s: float,
        look: Look,
        started_utc: datetime,
    ) -> RequestRecord:
        record = row_of(
            self._parts, job, drawn, answered, energy=energy, batch_s=batch_s, look=look, started_utc=started_utc
        )
        self._guard.log(record)
        return record
