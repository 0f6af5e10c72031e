"""Requests of many threads on one model, computed together by transformers' continuous batching."""

from sprout_like.engines.continuous.engine import ContinuousEngine

__all__ = ["ContinuousEngine"]
