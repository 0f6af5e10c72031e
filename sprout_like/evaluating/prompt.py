"""A prompt that is answered again to be judged."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Prompt", "Served"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """How a prompt of the traffic was answered at the time.

    Attributes:
        prompt_id: its row in the table `prompts`. request_id: its row in `requests`.
        directive: what was served. answer: its text, kept out of the repr.
    """

    prompt_id: str
    request_id: str
    directive: str
    answer: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked; its texts are kept out of the repr.

    Attributes:
        messages: the conversation so far, as chat messages.
        task: kind of work; None where it has no tag.
        reference: the right answer, for judges that compare with one; None where there is none.
        arguments: of `generate`. template: of the chat template.
        own_id: the user's own name for it, given back with a job's answer; None where it has none.
        served: how it was answered, of a prompt of the traffic; None of a prompt from a file.
    """

    messages: Sequence[Mapping[str, str]] = field(repr=False)
    task: str | None = None
    reference: str | None = field(repr=False, default=None)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    template: Mapping[str, Any] = field(repr=False, default_factory=dict)
    own_id: str | None = None
    served: Served | None = None

    @property
    def identity(self) -> str:
        """Equal for prompts that are the same question under the same call, however they came here."""
        asked = [list(self.messages), self.task, self.reference, self.arguments, self.template]
        return json.dumps(asked, sort_keys=True, default=repr)
