"""Twelve prompts of four kinds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PROMPTS", "Prompt"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and its kind, which becomes the row's task."""

    task: str
    text: str


_MEETING = (
    "Summarise these notes in your own words: The team met on Monday to plan the move to the new data centre. Anna "
    "reported that the racks arrive in week 12, two weeks later than planned. Ben will ask the carrier for a second "
    "line. The budget stays as it was. The next meeting is on Thursday."
)
_RIVER = (
    "Summarise: The river rises in the hills north of the town and flows south for ninety kilometres before it reaches "
    "the sea. In spring, melting snow doubles its flow, and the lower meadows are flooded for several weeks. Farmers "
    "move their cattle to higher ground and return in May, when the grass is at its best."
)
_TREES = (
    "Summarise: Street trees cool cities in two ways. Their leaves shade walls and pavements, and water evaporating "
    "from them takes heat out of the air. A study of ninety cities found that streets with many trees were up to four "
    "degrees cooler on summer afternoons than streets without."
)

PROMPTS: tuple[Prompt, ...] = (
    Prompt("question", "Why is the sky blue?"),
    Prompt("summary", _MEETING),
    Prompt("reasoning", "A train travels 60 miles in 1.5 hours. What is its average speed? Explain the steps."),
    Prompt("code", "Write a Python function that reverses a string, and explain how it works."),
    Prompt("question", "What causes the tides of the sea?"),
    Prompt("summary", _RIVER),
    Prompt("reasoning", "Tom is older than Mia, and Mia is older than Sam. Who is the youngest, and why?"),
    Prompt("code", "Write a Python function that counts the vowels in a text."),
    Prompt("question", "How does a bicycle stay upright while it is moving?"),
    Prompt("summary", _TREES),
    Prompt("reasoning", "A shop sells pens at 3 for 2 pounds. What do 12 pens cost? Show your reasoning."),
    Prompt("code", "Write an SQL query for the ten customers with the highest total of orders."),
)
