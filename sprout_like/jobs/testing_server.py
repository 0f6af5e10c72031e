"""A fake server that speaks OpenAI's chat completions, on a free loopback port: for tests, ours and yours."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

from grid.testing.loopback import Answer, Asked, Loopback
from sprout_like.jobs.testing import fake_answer

__all__ = ["ChatServer"]


class ChatServer(Loopback):
    """Answers every conversation with `fake_answer` of it; a word is a token.

    Args:
        models: what it says it has; None for a server that does not list them.
        poison: a word; a conversation that holds it is answered with `poison_status`. None for none.
        hold: called while a conversation is underway, before it is answered; answers are worked on at once.
        template_has_system: whether a system turn counts as part of the prompt.

    Attributes:
        posted: what was posted, in order.
        most_at_once: most conversations that were underway at a time.
    """

    def __init__(
        self,
        models: Sequence[str] | None = ("fake",),
        *,
        poison: str | None = None,
        poison_status: int = 400,
        hold: Callable[[], object] = lambda: None,
        template_has_system: bool = True,
    ) -> None:
        super().__init__()
        self.posted: list[Any] = []
        self.most_at_once = 0
        self._models = models
        self._poison = poison
        self._poison_status = poison_status
        self._hold = hold
        self._template_has_system = template_has_system
        self._lock = threading.Lock()
        self._underway = 0

    def answer_to(self, asked: Asked) -> Answer:
        """What was set to be answered, else the truth; counts what is underway."""
        with self._lock:
            self._underway += 1
            self.most_at_once = max(self.most_at_once, self._underway)
            if asked.body:
                self.posted.append(json.loads(asked.body))
        try:
            return super().answer_to(asked)
        finally:
            with self._lock:
                self._underway -= 1

    def truth(self, asked: Asked) -> Answer:
        """The list of models, or a completion."""
        if asked.path.endswith("/models"):
            if self._models is None:
                return Answer("{}", status=404)
            return Answer(json.dumps({"object": "list", "data": [{"id": model} for model in self._models]}))
        body = json.loads(asked.body)
        if self._models is not None and body["model"] not in self._models:
            return Answer('{"error": {"message": "no such model"}}', status=404)
        self._hold()
        messages = body["messages"]
        if self._poison is not None and any(self._poison in message["content"] for message in messages):
            quoted = json.dumps({"error": {"message": messages[-1]["content"]}})  # as servers do
            return Answer(quoted, status=self._poison_status)
        return self._completion(body["model"], messages, body["max_tokens"])

    def _completion(self, model: str, messages: Sequence[Any], limit_tokens: int) -> Answer:
        text = fake_answer(messages, limit_tokens)
        counted = [m for m in messages if m["role"] != "system" or self._template_has_system]
        read, written = sum(len(m["content"].split()) for m in counted), len(text.split())
        reason = "length" if written == limit_tokens else "stop"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": reason}
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        return Answer(json.dumps({"object": "chat.completion", "model": model, "choices": [choice], "usage": usage}))
