"""Which directive should this request get? Pure decisions on plain values: no HTTP, torch, SQL or clock."""

from directives.catalogue import Catalogue
from directives.directive import FULL, Directive
from directives.errors import CatalogueError, DirectiveError, PolicyError
from directives.knobs import Budget, Confidence, Depth, Draft, EarlyExit, KvCache, Lookup, Repetition, Reuse
from directives.policies import FixedPolicy, ThresholdPolicy
from directives.policy import Decision, Group, Observation, Policy, Uniform
from directives.variant import Precision, Variant

__all__ = [
    "FULL",
    "Budget",
    "Catalogue",
    "CatalogueError",
    "Confidence",
    "Decision",
    "Depth",
    "Directive",
    "DirectiveError",
    "Draft",
    "EarlyExit",
    "FixedPolicy",
    "Group",
    "KvCache",
    "Lookup",
    "Observation",
    "Policy",
    "PolicyError",
    "Precision",
    "Repetition",
    "Reuse",
    "ThresholdPolicy",
    "Uniform",
    "Variant",
]
