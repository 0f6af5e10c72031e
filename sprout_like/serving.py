"""What a request is served under, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from directives import Policy
from sprout_like.engines.engine import Generation, Plan
from sprout_like.record import Purpose, RequestRecord

__all__ = ["Reply", "Served", "Serving"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to `chat`.

    Attributes:
        text: the answer, special tokens left out; kept out of the repr.
        record: the row written for it.
    """

    text: str = field(repr=False)
    record: RequestRecord


@dataclass(frozen=True, slots=True)
class Serving:
    """What a view made by `using` may differ in."""

    policy: Policy
    task: str | None
    tags: Mapping[str, str]
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Served:
    """One request, done."""

    plan: Plan
    generation: Generation
    record: RequestRecord
