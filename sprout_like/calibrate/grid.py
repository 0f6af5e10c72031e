"""The workloads that are measured: kinds of request that directives treat differently."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

__all__ = ["DEFAULT", "QUICK", "Workload"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Requests of one kind.

    Attributes:
        task: the kind of work, as in the rows.
        prompts: user messages. A single request takes them in turns, a batch takes the first `batch_size` of them.
        limit_tokens: limit on new tokens per row.
        batch_size: rows per call.
        full_alone: whether `full` alone is measured on it, to show what the batch itself saves.
    """

    task: str
    prompts: tuple[str, ...]
    limit_tokens: int = 64
    batch_size: int = 1
    full_alone: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.batch_size <= len(self.prompts):
            raise ValueError(
                f"{self.name}: a batch of {self.batch_size} needs as many prompts, not {len(self.prompts)}"
            )

    @property
    def name(self) -> str:
        """For people."""
        return self.task if self.batch_size == 1 else f"{self.task} x{self.batch_size}"

    def asked(self, round_number: int) -> tuple[int, ...]:
        """Which of the prompts are asked in a round; the same for every directive."""
        if self.batch_size > 1:
            return tuple(range(self.batch_size))
        return (round_number % len(self.prompts),)


_QUESTIONS: Final = (
    "Why is the sky blue?",
    "What causes the tides of the sea?",
    "How does a bicycle stay upright while it is moving?",
    "Why do leaves change colour in autumn?",
    "What is the difference between weather and climate?",
    "How do vaccines protect people from diseases?",
    "Why does ice float on water?",
    "What makes bread rise in the oven?",
)

_FROM_PASSAGE: Final = (
    "Answer from the passage below. First quote the sentence that holds the answer, word for word.\n\n"
)

_PASSAGES: Final = (
    _FROM_PASSAGE
    + "Passage: The Harbour Lane Library opened in 1931 in a former rope factory on the east quay. Its reading room "
    "has a glass roof that was taken down in the war and put back in 1952. The library holds 84,000 books, 1,200 maps "
    "of the coast and the papers of the shipping company that built the quay. It is open from nine in the morning "
    "until six in the evening on weekdays, and from ten until four on Saturdays. On Sundays it is closed. Visitors may "
    "take out up to eight books for three weeks. Maps and papers may only be read in the reading room, and have to be "
    "asked for one day ahead. A card costs nothing for those who live in the town, and twelve pounds a year for "
    "everyone else. Children under twelve need the signature of a parent.\n\nQuestion: What does a card cost for "
    "people who do not live in the town?",
    _FROM_PASSAGE
    + "Passage: The heat pump of the town hall was installed in March. It takes heat from the river, which is never "
    "colder than four degrees, and gives it to the radiators at fifty-five degrees. For every kilowatt hour of "
    "electricity it delivers three and a half kilowatt hours of heat. On the coldest days of the year a gas boiler "
    "from 1998 helps out; last winter it ran on eleven days. A tank of twelve thousand litres in the cellar keeps the "
    "heat for about six hours, so that the pump can rest in the evening, when electricity is dear. The plant is "
    "looked after by two technicians, who read its meters every Monday. In its first year the pump saved ninety "
    "tonnes of carbon dioxide, and the bill fell by a fifth.\n\nQuestion: On how many days did the gas boiler run last "
    "winter?",
    _FROM_PASSAGE
    + "Passage: Members of the rowing club may book a boat up to seven days ahead. Single boats can be taken out by "
    "anyone who has passed the swimming test; eights need a cox who holds the river licence. Boats must be back half "
    "an hour before sunset, and no boat leaves while the red flag flies on the boathouse. Whoever damages a boat "
    "writes it into the book at the door on the same day, so that it can be repaired before the weekend. Oars belong "
    "in the rack by colour, the blades upwards. The boathouse is locked at nine in the evening; the key hangs in the "
    "office of the harbour master. Guests may row with a member three times a year, and pay five pounds each time.\n\n"
    "Question: How often may guests row with a member in one year?",
)

_EXPLANATIONS: Final = (
    "List five ways in which a household can use less electricity, each with one sentence that explains it.",
    "Explain how a refrigerator works, step by step.",
    "List the planets of the solar system in order, each with one fact about it.",
    "Explain what happens to a letter between the letter box and the addressee.",
)

_SUMS: Final = (
    "A train travels 60 miles in 1.5 hours. What is its average speed? Show the steps.",
    "A shop sells pens at 3 for 2 pounds. What do 12 pens cost? Show the steps.",
    "A tank holds 240 litres and loses 8 litres an hour. When is it half empty? Show the steps.",
    "Anna is twice as old as Ben. Together they are 36. How old is each? Show the steps.",
)

_QUESTION: Final = Workload(task="question", prompts=_QUESTIONS)
_BATCH: Final = Workload(task="question", prompts=_QUESTIONS, batch_size=8)
_PASSAGE: Final = Workload(task="passage", prompts=_PASSAGES)

DEFAULT: Final = (
    _QUESTION,
    _BATCH,
    _PASSAGE,
    Workload(task="explanation", prompts=_EXPLANATIONS, limit_tokens=96),
    Workload(task="arithmetic", prompts=_SUMS),
)
"""From the one that is least dispensable: where the time is short, the last ones are left out."""

QUICK: Final = (_QUESTION, replace(_BATCH, full_alone=True), _PASSAGE)
