"""A catalogue of your own in TOML, a policy pinned for one task, and tags; no model needed to try it."""

from pathlib import Path

from sprout_like import CarbonAware, Settings
from sprout_like.testing import NullEngine

Path("directives.toml").write_text(
    """
[directive.one_sentence]
instruction = "Answer in one sentence."
budget = { max_new_tokens = 60, soft_tokens = 30 }
"""
)
settings = Settings.load(catalogue=Path("directives.toml"), thresholds=[[120, "one_sentence"]], control_share=0.1)

with CarbonAware(
    None, engine=NullEngine(), grid=300, policy="threshold", ledger="example.sqlite", settings=settings
) as aware:
    record = aware.chat("Why is the sky blue?", task="question", tags={"team": "search"}).record
    print(record.directive, record.propensity, record.decision_reason)
    record = aware.using(policy="full", task="contract").chat("Summarise this contract.").record
    print(record.directive, record.propensity, record.decision_reason)
