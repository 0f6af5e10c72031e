"""Chat completions as they go over the wire: what is posted for a prompt, and what can be read from the answer.

The fields are those of OpenAI's API reference, "Create chat completion"; `chat_template_kwargs` is what vLLM, SGLang,
llama.cpp and `transformers serve` added to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from grid.errors import SourceError
from sprout_like.jobs.engines.engine import Ask
from sprout_like.knobs.system_turn import with_instruction

__all__ = [
    "PATH",
    "Completion",
    "Rejected",
    "finish_of",
    "limit_of",
    "listed_models",
    "posted",
    "rejected",
    "unpassable",
]

PATH: Final = "chat/completions"

_SAME_NAME: Final = ("temperature", "top_p")
_PASSED: Final = frozenset({"max_new_tokens", "do_sample", "stop_strings", *_SAME_NAME})

# Of HTTP's own that pass: a time limit, too many requests.
_PASSING: Final = frozenset({408, 429})
# Of this one prompt, perhaps because it is too long; all other refusals would meet every prompt.
_OF_THE_PROMPT: Final = frozenset({400, 413, 422})


class Rejected(SourceError):
    """An answer with a status that asking again would not change.

    Attributes:
        status: HTTP's.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"it answered {status}")
        self.status = status

    @property
    def of_the_prompt(self) -> bool:
        """Whether it may be this prompt's own fault."""
        return self.status in _OF_THE_PROMPT


def rejected(status: int, body: bytes) -> SourceError | None:  # noqa: ARG001 - its words may be those of a prompt
    """`Rejected` where the status is one; None where it is for the general rules."""
    return Rejected(status) if 300 <= status < 500 and status not in _PASSING else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a server answered; the text is kept out of the repr.

    Attributes:
        text: the model's words; empty where it only thought or called a tool.
        prompt_tokens, new_tokens: as the server counted them; None where it does not say.
        finish_reason: in the API's words. model: as the server names it.
    """

    text: str = field(repr=False)
    prompt_tokens: int | None = None
    new_tokens: int | None = None
    finish_reason: str | None = None
    model: str | None = None

    @classmethod
    def read(cls, document: Any) -> Completion | None:
        """What stands in an answer; None where it is not a completion."""
        match document:
            case {"choices": [{"message": {**message}, **choice}, *_]}:
                usage, content, reason = document.get("usage"), message.get("content"), choice.get("finish_reason")
            case _:
                return None
        counts = usage if isinstance(usage, dict) else {}
        name = document.get("model")
        return cls(
            text=content if isinstance(content, str) else "",
            prompt_tokens=_count(counts.get("prompt_tokens")),
            new_tokens=_count(counts.get("completion_tokens")),
            finish_reason=reason if isinstance(reason, str) else None,
            model=name if isinstance(name, str) else None,
        )


def limit_of(ask: Ask) -> int:
    """The limit on new tokens: the caller's own, or the budget's where that is lower."""
    budget = ask.directive.budget
    return ask.limit_tokens if budget is None else min(ask.limit_tokens, budget.max_new_tokens)


def finish_of(completion: Completion, ask: Ask) -> str | None:
    """The finish reason as in `Generation`; the API says `stop` of an end token and of a stop string alike."""
    if completion.finish_reason == "stop":
        return "stop" if ask.arguments.get("stop_strings") else "eos"
    return completion.finish_reason


def posted(ask: Ask, model: str) -> dict[str, Any]:
    """What is posted for a prompt; what its arguments leave open is as the server has it."""
    arguments, instruction = ask.arguments, ask.directive.instruction
    messages = ask.messages if instruction is None else with_instruction(ask.messages, instruction)
    body: dict[str, Any] = {
        "model": model,
        "messages": [dict(message) for message in messages],
        "max_tokens": limit_of(ask),
        "stream": False,
    }
    body |= {name: arguments[name] for name in _SAME_NAME if arguments.get(name) is not None}
    if arguments.get("do_sample") is False:
        body["temperature"] = 0
    if arguments.get("stop_strings") is not None:
        body["stop"] = arguments["stop_strings"]
    if ask.template:
        body["chat_template_kwargs"] = dict(ask.template)
    return body


def listed_models(document: Any) -> list[str]:
    """The names in an answer to `models`; empty where it is none."""
    match document:
        case {"data": [*models]}:
            return [model["id"] for model in models if isinstance(model, dict) and isinstance(model.get("id"), str)]
        case _:
            return []


def unpassable(arguments: Mapping[str, Any]) -> str | None:
    """The first argument of `generate` that the API has no field for; None where all can be passed on."""
    return next((name for name, value in arguments.items() if value is not None and name not in _PASSED), None)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
