"""From the settings to what infers the task of a request."""

from __future__ import annotations

from collections.abc import Callable

from sprout_like.engines.engine import Call
from sprout_like.settings import Settings

__all__ = ["open_inference"]


def open_inference(settings: Settings) -> Callable[[Call], str | None] | None:
    """What tells a call's task by the file that `classes` names; None where it names none.

    Raises:
        SettingError: the file cannot be read, or holds something else.
    """
    if settings.classes is None:
        return None
    from sprout_like.classes.inferring import Inference, open_classes

    return Inference(open_classes(settings.classes))
