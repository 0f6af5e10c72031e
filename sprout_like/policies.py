"""From a setting to a policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from directives import Catalogue, CatalogueError, FixedPolicy, Policy, PolicyError, ThresholdPolicy
from sprout_like.choosing.constraints import constraints_of
from sprout_like.errors import SettingError
from sprout_like.settings import Settings

__all__ = ["check_policy", "open_catalogue", "open_policy", "simple_policy"]


def open_catalogue(settings: Settings) -> Catalogue:
    """The catalogue that the settings name.

    Raises:
        SettingError: the file cannot be read or describes an impossible directive.
    """
    if settings.catalogue is None:
        return Catalogue.builtin()
    try:
        return Catalogue.load(settings.catalogue)
    except CatalogueError as exc:
        raise SettingError(
            "catalogue", str(exc).removeprefix("catalogue "), "Correct the file, or leave the setting out"
        ) from exc


def check_policy(spec: object, catalogue: Catalogue, settings: Settings) -> None:
    """Say what is wrong with a policy before anything is opened for it.

    Raises:
        SettingError: as `open_policy`, or what the settings ask of the contextual policy does not fit together.
    """
    if spec == "contextual":
        constraints_of(settings, catalogue)
    else:
        simple_policy(spec, catalogue, settings)


def open_policy(spec: object, catalogue: Catalogue, settings: Settings, *, contextual: Callable[[], Policy]) -> Policy:
    """A policy from its name, a directive's name (which pins it) or itself.

    Args:
        spec: what the user gave.
        catalogue: the directives on offer.
        settings: what the policies ask of them.
        contextual: gives the contextual policy of this middleware.

    Raises:
        SettingError: the name is neither, or the steps name a directive that the catalogue does not have.
    """
    return contextual() if spec == "contextual" else simple_policy(spec, catalogue, settings)


def simple_policy(spec: object, catalogue: Catalogue, settings: Settings) -> Policy:
    """A policy that needs nothing but the settings: any but the contextual one.

    Raises:
        SettingError: as `open_policy`.
    """
    if not isinstance(spec, str):
        if not (isinstance(getattr(spec, "name", None), str) and isinstance(getattr(spec, "version", None), str)):
            raise SettingError(
                "policy", f"a {type(spec).__name__} is not a policy", "Give a name or a directives.Policy"
            )
        return cast("Policy", spec)
    if spec == "threshold":
        return _threshold(catalogue, settings)
    if spec in catalogue:
        return FixedPolicy(spec)
    names = ", ".join(["contextual", "threshold", *catalogue.directives])
    raise SettingError("policy", f"{spec!r} is neither a policy nor a directive", f"Use one of: {names}")


def _threshold(catalogue: Catalogue, settings: Settings) -> ThresholdPolicy:
    try:
        for _, name in settings.thresholds:
            catalogue[name]
        return ThresholdPolicy(steps=settings.thresholds, control_share=settings.control_share)
    except (CatalogueError, PolicyError) as exc:
        fix = 'Give pairs such as [[100, "brief"], [200, "very_brief"]]'
        raise SettingError("thresholds", str(exc), fix) from exc
