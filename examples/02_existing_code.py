"""Existing code that calls `model.generate` itself, here a pipeline, goes through without a change."""

from transformers import pipeline

from sprout_like import CarbonAware
from sprout_like.demo.model import load_demo_model

model, tokenizer = load_demo_model()
pipe = pipeline("text-generation", model=model, tokenizer=tokenizer)

with (
    CarbonAware(model, tokenizer, grid="static:260", ledger="example.sqlite", tags={"service": "pipeline"}) as aware,
    aware.installed(),
):
    answer = pipe([{"role": "user", "content": "Name three uses of copper."}], max_new_tokens=160, do_sample=False)
print(answer[0]["generated_text"][-1]["content"])
