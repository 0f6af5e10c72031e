"""The online system on traces of the past: what waiting would have saved, and what it could have at best."""

from sprout_like.jobs.simulating.report import Report, as_json, as_text
from sprout_like.jobs.simulating.run import Order, simulate

__all__ = ["Order", "Report", "as_json", "as_text", "simulate"]
