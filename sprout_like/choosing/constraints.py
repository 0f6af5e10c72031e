"""From the settings to what is asked of the contextual policy."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from directives import FULL, Catalogue, CatalogueError, PolicyError
from directives.constraints import Constraints
from sprout_like.errors import SettingError
from sprout_like.settings import Settings

__all__ = ["constraints_of", "now_asked", "without"]

_SETTINGS = {"price_per_kg": "carbon_price_per_kg"}


def constraints_of(settings: Settings, catalogue: Catalogue) -> Constraints:
    """What the settings ask.

    Raises:
        SettingError: they do not fit each other, or name a directive that the catalogue does not have.
    """
    for name in settings.pinned.values():
        _check("pinned", name, catalogue)
    for task, names in settings.forbidden.items():
        for name in names:
            _check("forbidden", name, catalogue)
        if FULL.name in names:
            raise SettingError(
                "forbidden", f"'full' is, for task {task!r}, but it stands in where nothing else can", "Allow it"
            )
    try:
        return Constraints(
            floor=settings.floor,
            mean_floor=settings.mean_floor,
            confidence=settings.confidence,
            carbon_budget_g_per_day=settings.carbon_budget_g_per_day,
            latency_limit_s=settings.latency_limit_s,
            price_per_kg=settings.carbon_price_per_kg,
            answer_value=settings.answer_value,
            pinned=settings.pinned,
            forbidden={task: frozenset(names) for task, names in settings.forbidden.items()},
            explore_share=settings.explore_share,
            control_share=settings.control_share,
        )
    except PolicyError as exc:
        text = str(exc)
        for name, setting in _SETTINGS.items():
            text = text.replace(name, setting)
        raise SettingError("policy", text, "Correct these settings, or set policy to another one") from exc


def now_asked(tuned: Constraints, settings: Constraints) -> Constraints:
    """What a tuned policy is to keep now.

    Floors, budgets, limits and prices stay those that it was judged by before it was promoted. Who is pinned, what is
    forbidden and how much is tried out or held back is the user's wish of the moment.
    """
    return replace(
        tuned,
        pinned=settings.pinned,
        forbidden=settings.forbidden,
        explore_share=settings.explore_share,
        control_share=settings.control_share,
    )


def without(asked: Constraints, names: Collection[str]) -> Constraints | None:
    """The constraints but for budgets, limits or prices of these names; None where nothing would keep quality then."""
    if "price_per_kg" in names and asked.floor is None and asked.mean_floor is None:
        return None
    left = asked
    if "carbon_budget_g_per_day" in names:
        left = replace(left, carbon_budget_g_per_day=None)
    if "latency_limit_s" in names:
        left = replace(left, latency_limit_s={})
    if "price_per_kg" in names:
        left = replace(left, price_per_kg=None, answer_value=None)
    return left


def _check(setting: str, name: str, catalogue: Catalogue) -> None:
    try:
        catalogue[name]
    except CatalogueError as exc:
        raise SettingError(setting, str(exc), f"Use one of: {', '.join(catalogue.directives)}") from exc
