"""The policies: one file each."""

from directives.policies.fixed import FixedPolicy
from directives.policies.threshold import ThresholdPolicy

__all__ = ["FixedPolicy", "ThresholdPolicy"]
