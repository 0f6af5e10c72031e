"""What judges said. Data alone; unknown is None."""

from __future__ import annotations

from dataclasses import dataclass

from sprout_like.reports.interval import Figure

__all__ = ["Quality"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What judges said of one directive's answers beside `full`'s, by the verdicts of the span.

    Attributes:
        model, catalogue_version: whose answers. judge: who judged; scales of judges differ. directive: its name.
        verdicts_n: pairs judged. score, full_score: mean scores of the directive's and of `full`'s answers.
        quality: the directive's mean score as a share of `full`'s, with a lower bound at `confidence` and no upper
            one; None where `full` scores nothing.
        floor: least quality that the policy may plan for; None where none is set.
        confidence: with which the bound holds.
        breaker: why everything is served `full`; None where it is not.
    """

    model: str
    catalogue_version: str
    judge: str
    directive: str
    verdicts_n: int
    score: float
    full_score: float
    quality: Figure
    floor: float | None
    confidence: float
    breaker: str | None
