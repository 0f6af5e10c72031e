"""A classifier as JSON, below 200 kB: weights as signed bytes in base64, no word of any text."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, Final

from directives.classes.features import FEATURES_VERSION
from directives.classes.model import Classes, HeldOut
from directives.errors import PolicyError

__all__ = ["FORMAT", "from_json", "to_json"]

FORMAT: Final = 1
"""Changes whenever a reader of the format before could not read it."""


def to_json(classes: Classes) -> str:
    """One line per key."""
    held_out = classes.held_out
    document = {
        "format": FORMAT,
        "features": FEATURES_VERSION,
        "labels": classes.labels,
        "threshold": classes.threshold,
        "held_out": {
            "confusion": held_out.confusion,
            "sure": held_out.sure,
            "sure_right": held_out.sure_right,
            "log_loss": held_out.log_loss,
        },
        "bias": classes.bias,
        "scales": classes.scales,
        "weights": base64.b64encode(classes.weights).decode("ascii"),
    }
    lines = (f"{json.dumps(key)}: {json.dumps(value)}" for key, value in document.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str, *, origin: str) -> Classes:
    """The classifier again.

    Args:
        text: what `to_json` gave.
        origin: where it comes from, for errors.

    Raises:
        PolicyError: it is nothing of the kind, damaged, or of another version.
    """
    again = "train it again with `sprout-like classes train`"
    try:
        document = json.loads(text)
        versions = (document["format"], document["features"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise PolicyError(f"{origin}: this is no classifier; {again}") from None
    if versions != (FORMAT, FEATURES_VERSION):
        raise PolicyError(f"{origin}: this classifier was made by another release of sprout-like; {again}")
    try:
        return _classes(document)
    except PolicyError as exc:
        raise PolicyError(f"{origin}: {str(exc).removeprefix('classes: ')}; {again}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, binascii.Error):
        raise PolicyError(f"{origin}: this classifier is damaged; {again}") from None


def _classes(document: dict[str, Any]) -> Classes:
    held_out = document["held_out"]
    labels = tuple(document["labels"])
    if not all(isinstance(label, str) and label for label in labels):
        raise PolicyError("the labels are no texts")
    confusion = tuple(tuple(int(n) for n in row) for row in held_out["confusion"])
    if len(confusion) != len(labels) or any(len(row) != len(labels) for row in confusion):
        raise PolicyError("the confusion table does not fit the labels")
    if not sum(map(sum, confusion)):
        raise PolicyError("the confusion table is empty")
    return Classes(
        labels=labels,
        weights=base64.b64decode(document["weights"], validate=True),
        scales=tuple(float(scale) for scale in document["scales"]),
        bias=tuple(float(each) for each in document["bias"]),
        threshold=float(document["threshold"]),
        held_out=HeldOut(
            confusion=confusion,
            sure=int(held_out["sure"]),
            sure_right=int(held_out["sure_right"]),
            log_loss=float(held_out["log_loss"]),
        ),
    )
