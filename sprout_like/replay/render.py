"""A replay's figures, for people and as JSON."""

from __future__ import annotations

import json

from sprout_like.replay.run import Replayed

__all__ = ["as_json", "as_text"]


def as_json(replayed: Replayed) -> str:
    """All figures, hour by hour."""
    return json.dumps(replayed.to_data(), allow_nan=False) + "\n"


def as_text(replayed: Replayed) -> str:
    """A few lines."""
    order, outcome = replayed.order, replayed.outcome
    floor = 1 - order.floor_slack
    what = f"{order.policy} ({order.context})" if order.policy == "contextual" else order.policy
    emitted_kg = (outcome.carbon_g.sum() + outcome.evaluation_g.sum()) / 1000
    full_kg = outcome.full_carbon_g.sum() / 1000
    served = zip(replayed.experiment.prompts.directives, 100 * outcome.shares.mean(axis=0), strict=True)
    lines = [
        f"{what}: {order.hours} hours from {replayed.start}, floor {100 * floor:g} % of full's quality",
        f"  carbon saved       {outcome.saving_pct:6.1f} %   {emitted_kg:.4g} kg instead of {full_kg:.4g}",
        f"  quality            {outcome.preference_pct:6.1f} %   of full's, mean over the hours",
        f"  hours below floor  {outcome.hours_below_pct(floor):6.1f} %",
        f"  evaluations        {len(outcome.evaluations):6d}     {outcome.evaluation_share_pct:.2f} % of all energy",
        f"  served             {', '.join(f'{name} {share:.0f} %' for name, share in served)}",
        f"  took               {replayed.wall_s:6.1f} s",
        *(f"  note: {note}" for note in replayed.notes),
    ]
    return "\n".join(lines)
