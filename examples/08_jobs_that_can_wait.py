"""Prompts with a deadline: left in the queue, run in batches by a worker, answers and grams read back.

A worker waits for a low of the forecast; `at_once=True` spares you that wait here.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sprout_like import CarbonAware
from sprout_like.demo.model import load_demo_model

QUESTIONS = ["What causes the tides?", "Why is the sky blue?", "What is bread made of?", "Who was Ada Lovelace?"]

model, tokenizer = load_demo_model()
with (
    TemporaryDirectory() as folder,
    CarbonAware(model, tokenizer, grid="static:220", policy="full", ledger=Path(folder) / "ledger.sqlite") as aware,
):
    job = aware.using(task="question").submit(
        QUESTIONS, deadline=datetime.now(UTC) + timedelta(hours=8), limit_tokens=24, tags={"team": "blue"}
    )
    print(job, *job.notes, sep="\n")

    # Here in this process; `sprout-like jobs worker` does the same anywhere that reaches the ledger.
    done = aware.worker(at_once=True).run(until_empty=True)
    print(f"{done.answered_n} answers at {done.tokens_per_s:.0f} tokens/s")

    for item in job.results():
        answer = item.answer
        print(f"{1e6 * answer.operational_g:5.0f} µg  {answer.text[:60]}")
    standing = job.standing()
    print(f"together {standing.energy_j:.1f} J, {1e3 * standing.operational_g:.2f} mg CO2e")
