"""Directives that change how an answer is computed: a shared beginning, guesses, a copy of the model."""

from pathlib import Path

from sprout_like import CarbonAware, Settings
from sprout_like.demo.model import load_demo_model

CATALOGUE = """
[directive.shared]
reuse = { prefix = true }

[directive.guessed]
draft = { lookup = { ngram = 3 }, tokens = 8 }

[directive.exact]
variant = "exact"

[variant.exact]
precision = "fp32"
"""

Path("computed.toml").write_text(CATALOGUE, encoding="utf-8")
model, tokenizer = load_demo_model()
house_rules = "You work at a library. " + "Be kind to readers, and exact about opening hours. " * 12

with CarbonAware(
    model,
    tokenizer,
    grid="static:210",
    ledger="example.sqlite",
    settings=Settings.load(catalogue="computed.toml", policy="full"),
) as aware:
    for directive in ("full", "shared", "guessed", "exact"):
        for question in ("May I bring my own tea?", "What is a palindrome?"):
            messages = [{"role": "system", "content": house_rules}, {"role": "user", "content": question}]
            row = aware.using(policy=directive).chat(messages, max_new_tokens=40, do_sample=False).record
            print(
                f"{row.directive:8} {row.prompt_tokens:4} prompt tokens, {row.reused_tokens:4} not computed again, "
                f"{row.new_tokens:3} new, {row.energy_j:5.1f} J, variant {row.variant}"
            )
