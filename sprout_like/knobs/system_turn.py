"""Where a chat template keeps its system turn, learnt from the tokenizer itself, and how to write into it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Splice", "SystemTurn", "renders_system", "with_instruction"]

# Probes that no template contains; letters and spaces only, so that they tokenise apart from what surrounds them.
_SYSTEM_PROBE = "qvzj system probe"
_USER_PROBE = "qvzj user probe"


@dataclass(frozen=True, slots=True)
class Splice:
    """Tokens to insert into one row.

    Attributes:
        at: index in the row, counted from its first token that is not padding.
        ids: what to insert there.
    """

    at: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SystemTurn:
    """The tokens around the system turn of one tokenizer's template.

    Attributes:
        opening: tokens from the start of a prompt to the system turn's content.
        closing: the special token that ends the content.
        bare_opening: tokens with which a prompt without system turn starts; None where the template always has one.
        bare_at: where in such a prompt a system turn belongs. block: text before and after its content.
    """

    opening: tuple[int, ...]
    closing: int
    bare_opening: tuple[int, ...] | None
    bare_at: int
    block: tuple[str, str]

    @classmethod
    def learn(cls, tokenizer: Any) -> SystemTurn | None:
        """Find the system turn by rendering probes; None where the template has none that ends in a special token."""
        if not getattr(tokenizer, "chat_template", None):
            return None
        user = {"role": "user", "content": _USER_PROBE}
        text = _render(tokenizer, [{"role": "system", "content": _SYSTEM_PROBE}, user])
        if text is None or text.count(_SYSTEM_PROBE) != 1:
            return None
        before, after = text.split(_SYSTEM_PROBE)
        closing = next((t for t in tokenizer.all_special_tokens if after.startswith(t)), None)
        if closing is None or _USER_PROBE not in after:
            return None
        bare = _bare(tokenizer, _render(tokenizer, [user]), before, after)
        turn = cls(
            opening=_encode(tokenizer, before),
            closing=int(tokenizer.convert_tokens_to_ids(closing)),
            bare_opening=bare[0] if bare else None,
            bare_at=bare[1] if bare else 0,
            block=bare[2] if bare else ("", ""),
        )
        return turn if turn._proves_itself(tokenizer, text) else None

    def splice(self, tokenizer: Any, row: Sequence[int], instruction: str) -> Splice | None:
        """Where and what to insert so that the row's system turn ends in the instruction.

        Args:
            tokenizer: the one it was learnt from, which encodes the instruction; its lock must be held.
            row: a prompt's token ids without padding.
            instruction: text to append to the system turn's content, or to add as one.

        Returns:
            None where the row does not begin as this template's prompts do.
        """
        place = self._place(row)
        if place is None:
            return None
        at, before, after = place
        return Splice(at, _encode(tokenizer, before + instruction + after))

    def begins(self, row: Sequence[int]) -> bool:
        """Whether a prompt without padding begins as this template's do, so that `splice` finds a place in it."""
        return self._place(row) is not None

    def _place(self, row: Sequence[int]) -> tuple[int, str, str] | None:
        """Where in the row an instruction goes, and what stands before and after it there."""
        start = len(self.opening)
        if tuple(row[:start]) == self.opening:
            ends = (index for index in range(start, len(row)) if row[index] == self.closing)
            at = next(ends, None)
            return None if at is None else (at, "" if at == start else "\n\n", "")
        if self.bare_opening is not None and tuple(row[: len(self.bare_opening)]) == self.bare_opening:
            return (self.bare_at, *self.block)
        return None

    def _proves_itself(self, tokenizer: Any, text: str) -> bool:
        """Whether a spliced prompt reads exactly as the template would have rendered the longer system message."""
        row = _encode(tokenizer, text)
        splice = self.splice(tokenizer, row, "Probe.")
        if splice is None:
            return False
        spliced = [*row[: splice.at], *splice.ids, *row[splice.at :]]
        wanted = text.replace(_SYSTEM_PROBE, f"{_SYSTEM_PROBE}\n\nProbe.")
        return bool(tokenizer.decode(spliced) == tokenizer.decode(_encode(tokenizer, wanted)))


def with_instruction(messages: Sequence[Mapping[str, Any]], instruction: str) -> list[Mapping[str, Any]]:
    """The messages with the instruction appended to the first system message, or added as one."""
    if messages and messages[0]["role"] == "system":
        content = messages[0]["content"]
        text = f"{content}\n\n{instruction}" if content else instruction
        return [{**messages[0], "content": text}, *messages[1:]]
    return [{"role": "system", "content": instruction}, *messages]


def renders_system(tokenizer: Any) -> bool:
    """Whether the template puts a system message into the prompt (some ignore it, some raise)."""
    if not getattr(tokenizer, "chat_template", None):
        return False
    probe = [{"role": "system", "content": _SYSTEM_PROBE}, {"role": "user", "content": _USER_PROBE}]
    return _SYSTEM_PROBE in (_render(tokenizer, probe) or "")


def _bare(
    tokenizer: Any, bare_text: str | None, before: str, after: str
) -> tuple[tuple[int, ...], int, tuple[str, str]] | None:
    """How a prompt without system message starts, and the block that would make it one with; None if it has one."""
    if bare_text is None or bare_text.count(_USER_PROBE) != 1:
        return None
    lead, tail = bare_text.split(_USER_PROBE)
    user_lead = after.split(_USER_PROBE)[0]
    # `lead` = prefix + user header; `before` = prefix + system header; `user_lead` = system end + user header.
    prefix = next(
        (lead[:i] for i in range(len(lead), -1, -1) if before.startswith(lead[:i]) and user_lead.endswith(lead[i:])),
        None,
    )
    if prefix is None or not lead[len(prefix) :] or after.split(_USER_PROBE)[1] != tail:
        return None
    header = lead[len(prefix) :]
    block = (before[len(prefix) :], user_lead.removesuffix(header))
    return _encode(tokenizer, lead), len(_encode(tokenizer, prefix)), block


def _render(tokenizer: Any, messages: list[dict[str, str]]) -> str | None:
    import jinja2

    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except (jinja2.TemplateError, ValueError, TypeError, KeyError):  # a template that refuses the probe
        return None


def _encode(tokenizer: Any, text: str) -> tuple[int, ...]:
    return tuple(tokenizer.encode(text, add_special_tokens=False))
