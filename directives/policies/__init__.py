"""The policies: one file each."""

from directives.policies.contextual import ContextualPolicy
from directives.policies.fixed import FixedPolicy
from directives.policies.threshold import ThresholdPolicy

__all__ = ["ContextualPolicy", "FixedPolicy", "ThresholdPolicy"]
