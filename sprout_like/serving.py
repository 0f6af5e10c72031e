"""What a request is served under, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from directives import Policy
from sprout_like.engines.engine import Generation, Plan
from sprout_like.record import Purpose, RequestRecord, checked_purpose, checked_tags

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

    def under(
        self,
        *,
        policy: Policy | None = None,
        task: str | None = None,
        tags: Mapping[str, str] | None = None,
        purpose: Purpose | None = None,
    ) -> Serving:
        """The same but for what is given; tags are further ones.

        Raises:
            SettingError: a tag is no text, or the purpose is unknown.
        """
        return Serving(
            self.policy if policy is None else policy,
            self.task if task is None else task,
            {**self.tags, **checked_tags(tags)},
            self.purpose if purpose is None else checked_purpose(purpose),
        )


@dataclass(frozen=True, slots=True)
class Served:
    """One request, done."""

    plan: Plan
    generation: Generation
    record: RequestRecord
