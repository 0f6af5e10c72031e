"""One run of the evaluator as plain data, and the sheet on which it is written down while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from directives.workload import Bin
from sprout_like import carbon
from sprout_like.judges.judge import Cost, Ruling
from sprout_like.meters.meter import METHODS
from sprout_like.record import RequestRecord

__all__ = ["Ended", "Evaluation", "Sheet", "Verdict"]

Ended = Literal["settled", "prompts", "limit", "interrupted", "failed"]
"""Everything is known well enough; the prompts were used up; as many as allowed were asked; Ctrl-C; an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A judged pair.

    Attributes:
        judged_utc: when.
        prompt_number: the prompt's place in this evaluation: pairs of one number are of one prompt.
        request_id: the request whose served answer was judged; None where the answer was generated to be judged.
        directive: whose answer. bin: of the prompt under `full`.
        score, full_score: of its answer and of `full`'s, in [0, 1].
    """

    judged_utc: datetime
    prompt_number: int
    request_id: str | None
    directive: str
    bin: Bin
    score: float
    full_score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One run.

    Attributes:
        evaluation_id: 32 hex digits.
        started_utc, ended_utc: its span.
        reason: why it was begun. ended: how it ended.
        model, catalogue_version: whose answers.
        judge: the judge's name.
        prompts_n: prompts answered by `full`. verdicts_n: pairs judged. dropped_n: pairs and prompts that were not.
        ties_n: verdicts with equal scores.
        first_n, second_n: how often the judge preferred the answer shown first, and second.
        dropped: number of those dropped, by reason.
        energy_j: of the generations that were judged, in J; None where that of one is unknown, likewise below.
        operational_g, embodied_g: of these, in g CO2e, as their rows have it.
        judge_energy_j: of the judge, which is in no row of `requests`, in J; None where unknown.
        judge_energy_method: as in `requests`.
        judge_operational_g: of the judge, in g CO2e at the intensity of the time.
        judge_tokens: that the judge read and wrote; None where not told. judge_s: time spent on it, in s.
        verdicts: in the order in which they came.
        judged_prompts: ids of the prompts of the traffic that were judged, or could not be.
    """

    evaluation_id: str
    started_utc: datetime
    ended_utc: datetime
    reason: str
    ended: Ended
    model: str
    catalogue_version: str
    judge: str
    prompts_n: int
    verdicts_n: int
    dropped_n: int
    ties_n: int
    first_n: int
    second_n: int
    dropped: Mapping[str, int]
    energy_j: float | None
    operational_g: float | None
    embodied_g: float | None
    judge_energy_j: float | None
    judge_energy_method: str
    judge_operational_g: float | None
    judge_tokens: int | None
    judge_s: float
    verdicts: tuple[Verdict, ...] = ()
    judged_prompts: tuple[str, ...] = ()


@dataclass(slots=True)
class Sheet:
    """What was found so far; what stands here stays when the run is interrupted.

    Attributes:
        rows: of the generations, those of failed ones too where they came back.
        verdicts, dropped, judged_prompts, ended: as in `Evaluation`; `ended` is `interrupted` until the end.
        scores: pairs (score, score of `full`) by directive and task, in the order in which they came.
        prompts_n: prompts answered by `full`.
        first_n, second_n: as in `Evaluation`.
        costs: of the judge, each with the intensity at the time in g/kWh.
    """

    rows: list[RequestRecord] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    judged_prompts: list[str] = field(default_factory=list)
    scores: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    prompts_n: int = 0
    first_n: int = 0
    second_n: int = 0
    costs: list[tuple[Cost, float | None]] = field(default_factory=list)
    ended: Ended = "interrupted"

    def ruled(self, ruling: Ruling, intensity_g_per_kwh: float | None) -> tuple[float, float] | None:
        """Book a ruling's cost and position counts; its two scores, or None where it has none, which is booked too."""
        self.costs.append((ruling.cost, intensity_g_per_kwh))
        if ruling.score is None or ruling.full_score is None:
            self.dropped[f"the judge: {ruling.reason or 'no reason given'}"] += 1
            return None
        self.first_n += ruling.first
        self.second_n += ruling.second
        return ruling.score, ruling.full_score

    def judged(self, verdict: Verdict, task: str) -> None:
        """Book a verdict on a prompt of that task."""
        self.verdicts.append(verdict)
        self.scores.setdefault((verdict.directive, task), []).append((verdict.score, verdict.full_score))

    def evaluation(
        self,
        *,
        evaluation_id: str,
        started_utc: datetime,
        ended_utc: datetime,
        reason: str,
        judge: str,
        pue: float,
    ) -> Evaluation | None:
        """The run as it will be kept; None where nothing was generated."""
        if not self.rows:
            return None
        judge_energies = [cost.energy_j for cost, _ in self.costs]
        judge_carbon = [carbon.operational_g(cost.energy_j, intensity, pue) for cost, intensity in self.costs]
        tokens = [cost.tokens for cost, _ in self.costs]
        used = {cost.method for cost, _ in self.costs} or {"none"}
        return Evaluation(
            evaluation_id=evaluation_id,
            started_utc=started_utc,
            ended_utc=ended_utc,
            reason=reason,
            ended=self.ended,
            model=self.rows[0].model,
            catalogue_version=self.rows[0].catalogue_version,
            judge=judge,
            prompts_n=self.prompts_n,
            verdicts_n=len(self.verdicts),
            dropped_n=self.dropped.total(),
            ties_n=sum(verdict.score == verdict.full_score for verdict in self.verdicts),
            first_n=self.first_n,
            second_n=self.second_n,
            dropped=dict(self.dropped),
            energy_j=_total([row.energy_j for row in self.rows]),
            operational_g=_total([row.operational_g for row in self.rows]),
            embodied_g=_total([row.embodied_g for row in self.rows]),
            judge_energy_j=_total(judge_energies) if judge_energies else None,
            judge_energy_method=next(method for method in reversed(METHODS) if method in used),
            judge_operational_g=_total(judge_carbon) if judge_carbon else None,
            judge_tokens=None if not tokens or None in tokens else sum(n for n in tokens if n is not None),
            judge_s=sum(cost.duration_s for cost, _ in self.costs),
            verdicts=tuple(self.verdicts),
            judged_prompts=tuple(self.judged_prompts),
        )


def _total(values: list[float | None]) -> float | None:
    """Their sum; None where one is unknown, as the sum without it would be too low."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
