"""One batch of a job, from the claimed items to their rows and answers. Read `BatchRunner.run` top to bottom."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from directives import Decision, Observation, Policy
from grid import Look
from sprout_like import carbon
from sprout_like.errors import BatchTooLarge, EngineUnavailable
from sprout_like.jobs.engines.engine import Answered, Ask, Outcome
from sprout_like.jobs.job import Answer, Claim, Failure, Item, Job
from sprout_like.jobs.working.parts import WorkingParts
from sprout_like.meters import UNKNOWN, Energy, Window, charged_devices
from sprout_like.provenance import provenance
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
    """

    answers: tuple[Answer, ...]
    failures: tuple[Failure, ...]
    new_tokens: int
    time_s: float
    energy_j: float | None
    operational_g: float | None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """An item with its draw."""

    item: Item
    ask: Ask
    task: str | None
    candidates: Sequence[str]
    decision: Decision
    policy: Policy


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
            EngineUnavailable: the engine does not answer; the items are to be given back.
            SettingError: the job names a policy that there is not.
        """
        parts = self._parts

        # 1 look: the intensity from memory alone; may be stale or unknown, and says so
        look, started_utc = self._guard.look(parts.grid), parts.clock.now_utc()

        # 2 filter and choose, item by item: the draw is among what fits, so that its propensity is the true one
        drawn = [self._drawn(job, item, look, len(claim.items)) for item in claim.items]

        # 3 run, in halves where memory does not hold the whole
        begun_s = parts.clock.monotonic_s()
        done, fitted = self._answered(drawn)
        time_s = parts.clock.monotonic_s() - begun_s

        # 4 account, 5 log: each item has the share that it took, and a row
        answers: list[Answer] = []
        failures: list[Failure] = []
        for each, answered, energy, batch_s in done:
            record = self._record(job, each, answered, energy, look, started_utc, batch_s)
            self._guard.log(record)
            if answered.text is None:
                failures.append(
                    Failure(place=each.item.place, error=answered.error or "no answer", for_good=answered.for_good)
                )
            else:
                answers.append(_answer(each, answered, record))
        energies = [energy.energy_j for _, _, energy, _ in done]
        energy_j = sum(e for e in energies if e is not None) if None not in energies else None
        g_per_kwh = None if look.intensity is None else look.intensity.g_per_kwh
        return BatchDone(
            answers=tuple(answers),
            failures=tuple(failures),
            new_tokens=sum(answer.new_tokens or 0 for answer in answers),
            time_s=time_s,
            energy_j=energy_j,
            operational_g=carbon.operational_g(energy_j, g_per_kwh, parts.settings.pue),
            most=max(fitted, 1) if fitted < len(drawn) else None,
        )

    def _drawn(self, job: Job, item: Item, look: Look, rows: int) -> _Drawn:
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
        return _Drawn(item, ask, task, candidates, decision, policy)

    def _policy(self, spec: str) -> Policy:
        if spec not in self._policies:
            self._policies[spec] = self._parts.open_policy(spec)
        return self._policies[spec]

    def _answered(self, drawn: Sequence[_Drawn]) -> tuple[list[tuple[_Drawn, Answered, Energy, float]], int]:
        """Each item with its answer, its energy and its part of the time; and how many fitted together at most."""
        begun_s = self._parts.clock.monotonic_s()
        try:
            outcome, energy = self._metered([each.ask for each in drawn])
        except EngineUnavailable:
            raise
        except BatchTooLarge as exc:
            _LOG.warning("%s%s", exc, "; it is run in halves" if len(drawn) > 1 else "")
            return self._in_halves(drawn, Answered(error=f"BatchTooLarge: {exc}", for_good=True), begun_s)
        except Exception as exc:  # noqa: BLE001 - one prompt that an engine stumbles over must not hold up all others
            said = type(exc).__qualname__
            _LOG.warning("a batch of %d failed with %s%s", len(drawn), said, ", its parts are tried" * (len(drawn) > 1))
            done, _ = self._in_halves(drawn, Answered(error=said), begun_s)
            return done, len(drawn)
        time_s = self._parts.clock.monotonic_s() - begun_s
        return [
            (each, answered, _share(energy, answered.share), time_s * answered.share)
            for each, answered in zip(drawn, outcome.answers, strict=True)
        ], len(drawn)

    def _in_halves(
        self, drawn: Sequence[_Drawn], failed: Answered, begun_s: float
    ) -> tuple[list[tuple[_Drawn, Answered, Energy, float]], int]:
        """As `_answered`, each half by itself; a single prompt has failed."""
        if len(drawn) == 1:
            return [(drawn[0], failed, UNKNOWN, self._parts.clock.monotonic_s() - begun_s)], 0
        half = len(drawn) // 2
        first, fitted = self._answered(drawn[:half])
        second, also_fitted = self._answered(drawn[half:])
        return first + second, max(fitted, also_fitted)

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

    def _record(
        self,
        job: Job,
        drawn: _Drawn,
        answered: Answered,
        energy: Energy,
        look: Look,
        started_utc: datetime,
        batch_s: float,
    ) -> RequestRecord:
        parts, decision = self._parts, drawn.decision
        settings, engine, intensity = parts.settings, parts.engine, look.intensity
        return RequestRecord(
            request_id=f"{int(started_utc.timestamp() * 1000):012x}{secrets.token_hex(10)}",
            session_id=parts.session_id,
            started_utc=started_utc,
            duration_s=answered.engine_s if answered.engine_s is not None else batch_s,
            engine_s=answered.engine_s,
            first_token_s=answered.first_token_s,
            call="job",
            purpose="job",
            status="ok" if answered.text is not None else "error",
            error_type=None if answered.error is None else answered.error.partition(":")[0],
            model=engine.model,
            family=engine.family,
            engine=engine.name,
            task=drawn.task,
            tags={**settings.tags, **job.tags, "job": job.job_id},
            batch_size=1,
            prompt_tokens=answered.prompt_tokens,
            instruction_tokens=answered.instruction_tokens,
            new_tokens=answered.new_tokens,
            limit_tokens=answered.limit_tokens,
            caller_limit_tokens=drawn.item.limit_tokens,
            finish_reason=answered.finish_reason,
            knob_counts={"rows_together": float(answered.batch_size)},
            zone=parts.grid.zone,
            **provenance(look),
            policy=drawn.policy.name,
            policy_version=drawn.policy.version,
            catalogue_version=parts.catalogue.version,
            directive=decision.directive,
            propensity=decision.propensity,
            decision_reason=decision.reason,
            decision_group=decision.group,
            candidates=",".join(drawn.candidates),
            energy_j=energy.energy_j,
            gpu_j=energy.gpu_j,
            cpu_j=energy.cpu_j,
            dram_j=energy.dram_j,
            energy_by_device_j=energy.by_device_j,
            energy_method=energy.method,
            energy_uncertainty_j=energy.uncertainty_j,
            meter=parts.accounts.meter_name,
            account_id=energy.account_id,
            pue=settings.pue,
            operational_g=carbon.operational_g(
                energy.energy_j, None if intensity is None else intensity.g_per_kwh, settings.pue
            ),
            embodied_g=carbon.embodied_g(settings.embodied, batch_s),
            overhead_s=0.0,
        )


def _share(whole: Energy, share: float) -> Energy:
    """A part of a batch's energy; its half-width is taken to be in proportion, since all parts err together."""
    if whole.energy_j is None:
        return whole

    def part(figure: float | None) -> float | None:
        return None if figure is None else figure * share

    return replace(
        whole,
        energy_j=whole.energy_j * share,
        gpu_j=part(whole.gpu_j),
        cpu_j=part(whole.cpu_j),
        dram_j=part(whole.dram_j),
        by_device_j={device: share * figure for device, figure in whole.by_device_j.items()},
        method="apportioned" if whole.method == "measured" and share < 1 else whole.method,
        uncertainty_j=part(whole.uncertainty_j),
    )


def _answer(drawn: _Drawn, answered: Answered, record: RequestRecord) -> Answer:
    return Answer(
        place=drawn.item.place,
        text=answered.text or "",
        request_id=record.request_id,
        directive=drawn.decision.directive,
        prompt_tokens=answered.prompt_tokens,
        new_tokens=answered.new_tokens,
        finish_reason=answered.finish_reason,
        energy_j=record.energy_j,
        energy_method=record.energy_method,
        operational_g=record.operational_g,
    )
