"""Wrap a model: one changed line, one row per request. Runs offline on the demonstration's model."""

from sprout_like import CarbonAware
from sprout_like.demo.model import load_demo_model

model, tokenizer = load_demo_model()
aware = CarbonAware(model, tokenizer, zone="GB", grid="static:180", policy="threshold", ledger="example.sqlite")

inputs = tokenizer.apply_chat_template(
    [{"role": "user", "content": "What causes the tides?"}],
    add_generation_prompt=True,
    return_tensors="pt",
    return_dict=True,
)
output = aware.generate(**inputs, max_new_tokens=160, do_sample=False)  # was: model.generate(…)
print(tokenizer.decode(output[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))
aware.close()
print("its joules and grams: sprout-like report --ledger example.sqlite")
