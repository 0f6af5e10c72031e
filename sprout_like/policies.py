"""From a setting to a policy."""

from __future__ import annotations

from directives import Catalogue, CatalogueError, FixedPolicy, Policy, PolicyError, ThresholdPolicy
from sprout_like.errors import SettingError
from sprout_like.settings import Settings

__all__ = ["open_catalogue", "open_policy"]


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


def open_policy(spec: str | Policy, catalogue: Catalogue, settings: Settings) -> Policy:
    """A policy from its name, a directive's name (which pins it) or itself.

    Raises:
        SettingError: the name is neither, or the steps name a directive that the catalogue does not have.
    """
    if not isinstance(spec, str):
        if not (isinstance(getattr(spec, "name", None), str) and isinstance(getattr(spec, "version", None), str)):
            raise SettingError(
                "policy", f"a {type(spec).__name__} is not a policy", "Give a name or a directives.Policy"
            )
        return spec
    if spec == "threshold":
        return _threshold(catalogue, settings)
    if spec in catalogue:
        return FixedPolicy(spec)
    names = ", ".join(["threshold", *catalogue.directives])
    raise SettingError("policy", f"{spec!r} is neither a policy nor a directive", f"Use one of: {names}")


def _threshold(catalogue: Catalogue, settings: Settings) -> ThresholdPolicy:
    try:
        for _, name in settings.thresholds:
            catalogue[name]
        return ThresholdPolicy(steps=settings.thresholds, control_share=settings.control_share)
    except (CatalogueError, PolicyError) as exc:
        fix = 'Give pairs such as [[100, "brief"], [200, "very_brief"]]'
        raise SettingError("thresholds", str(exc), fix) from exc
