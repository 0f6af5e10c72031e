"""What is learnt of a server by asking it for a single token: whether it answers, and what an instruction adds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from grid.errors import SourceError
from sprout_like.jobs.engines.engine import Ask
from sprout_like.jobs.engines.openai_chat import Completion
from sprout_like.knobs.system_turn import with_instruction

__all__ = ["Probe"]

_USER: Final = {"role": "user", "content": "Hi"}
_SYSTEM: Final = {"role": "system", "content": "Hello."}


class Probe:
    """Asks for one token, and remembers what it learnt.

    Args:
        post: from what is posted to the answer's document; raises what `HttpApi.post_json` does.
        model: the model's name there.
    """

    def __init__(self, post: Callable[[Mapping[str, Any]], Any], model: str) -> None:
        self._post = post
        self._model = model
        self._tokens: dict[tuple[bool, str | None], int | None] = {}

    def ask(self, messages: Sequence[Mapping[str, Any]] = (_USER,)) -> Completion | None:
        """One token; None where what came is no completion."""
        body = {"model": self._model, "messages": [dict(m) for m in messages], "max_tokens": 1, "stream": False}
        return Completion.read(self._post(body))

    def added_tokens(self, instruction: str, *, has_system: bool) -> int | None:
        """Tokens that an instruction adds to a prompt; None where the server does not count them.

        Negative where it takes the place of a longer system turn that the template writes on its own.

        Args:
            instruction: the text.
            has_system: whether the prompt has a system turn of its own, that the instruction is appended to.
        """
        with_it = self._prompt_tokens(instruction, has_system=has_system)
        without = self._prompt_tokens(None, has_system=has_system)
        return None if with_it is None or without is None else with_it - without

    def instruction_tokens(self, ask: Ask) -> int | None:
        """What an ask's directive adds to its prompt: 0 without an instruction, None where it cannot be told."""
        if (instruction := ask.directive.instruction) is None:
            return 0
        has_system = bool(ask.messages) and ask.messages[0]["role"] == "system"
        try:
            return self.added_tokens(instruction, has_system=has_system)
        except SourceError:
            return None

    def _prompt_tokens(self, instruction: str | None, *, has_system: bool) -> int | None:
        if (has_system, instruction) not in self._tokens:
            plain = [_SYSTEM, _USER] if has_system else [_USER]
            completion = self.ask(plain if instruction is None else with_instruction(plain, instruction))
            self._tokens[has_system, instruction] = None if completion is None else completion.prompt_tokens
        return self._tokens[has_system, instruction]
