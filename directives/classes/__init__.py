"""What kind of work is this? Inferred from the text of requests that come without a tag.

Not part of `directives`' own names, as it loads numpy.
"""

from directives.classes.data import from_json, to_json
from directives.classes.features import glimpse
from directives.classes.model import OTHER, Classes, HeldOut
from directives.classes.training import MIN_PER_CLASS, train, train_and_place

__all__ = [
    "MIN_PER_CLASS",
    "OTHER",
    "Classes",
    "HeldOut",
    "from_json",
    "glimpse",
    "to_json",
    "train",
    "train_and_place",
]
