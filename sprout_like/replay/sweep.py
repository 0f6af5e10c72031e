"""All policies on the same requests, those with a floor at several slacks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sprout_like.replay.run import Order, prepare

if TYPE_CHECKING:
    from directives.replay import Context

__all__ = ["SLACKS", "Point", "Scheme", "sweep"]

SLACKS: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3)

_FLOORED: Final[Sequence[tuple[str, str, Context]]] = (
    ("sprout", "sprout", "none"),
    ("oracle", "oracle", "none"),
    ("contextual, none", "contextual", "none"),
    ("contextual, text", "contextual", "text"),
    ("contextual, task", "contextual", "task"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What came of one replay, as in its JSON.

    Attributes:
        slack: of the floor; None for a policy that knows no floor.
        saving_pct, preference_pct, hours_below_floor_pct: in %; the last one None without a floor.
    """

    slack: float | None
    saving_pct: float
    preference_pct: float
    hours_below_floor_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One policy, with what it can tell of a request, and its points in order of the slack."""

    name: str
    points: tuple[Point, ...]


def sweep(order: Order, on_step: Callable[[str], None]) -> list[Scheme]:
    """Replay every policy on what the order names, those with a floor at `SLACKS` and at the order's own slack.

    Args:
        order: its policy and context do not matter.
        on_step: told what is replayed next, and how far it is.

    Raises:
        NothingToLearn, SettingError, GridError, PolicyError, Infeasible: bad input.
    """
    from directives.replay import replay

    experiment, _, _ = prepare(replace(order, policy="sprout"))
    slacks = sorted({*SLACKS, order.floor_slack})
    cases: list[tuple[str, str, Context, float | None]] = [
        (name, policy, context, slack) for name, policy, context in _FLOORED for slack in slacks
    ]
    cases += [(name, name, "none", None) for name in ("static", "threshold", *experiment.prompts.directives)]
    found: dict[str, list[Point]] = {}
    for number, (name, policy, context, slack) in enumerate(cases, start=1):
        on_step(f"{name}{'' if slack is None else f' at slack {slack:g}'} ({number} of {len(cases)})")
        floor_slack = order.floor_slack if slack is None else slack
        outcome = replay(policy, replace(experiment, floor_slack=floor_slack, context=context))
        point = Point(
            slack=slack,
            saving_pct=outcome.saving_pct,
            preference_pct=outcome.preference_pct,
            hours_below_floor_pct=None if slack is None else outcome.hours_below_pct(1 - slack),
        )
        found.setdefault(name, []).append(point)
    return [Scheme(name=name, points=tuple(points)) for name, points in found.items()]
