"""Which directive should this request get? Pure decisions on plain values: no HTTP, torch, SQL or clock."""

from directives.catalogue import Catalogue
from directives.constraints import Constraints
from directives.directive import FULL, Directive
from directives.errors import CatalogueError, DirectiveError, Infeasible, PolicyError
from directives.estimate import Estimate
from directives.evidence import Evidence, Known, Quality
from directives.knobs import Budget, Confidence, Depth, Draft, EarlyExit, KvCache, Lookup, Repetition, Reuse
from directives.plan import Plan
from directives.policies import ContextualPolicy, FixedPolicy, ThresholdPolicy
from directives.policy import Decision, Group, Observation, Policy, Uniform
from directives.variant import Precision, Variant
from directives.workload import Bin, bin_of

__all__ = [
    "FULL",
    "Bin",
    "Budget",
    "Catalogue",
    "CatalogueError",
    "Confidence",
    "Constraints",
    "ContextualPolicy",
    "Decision",
    "Depth",
    "Directive",
    "DirectiveError",
    "Draft",
    "EarlyExit",
    "Estimate",
    "Evidence",
    "FixedPolicy",
    "Group",
    "Infeasible",
    "Known",
    "KvCache",
    "Lookup",
    "Observation",
    "Plan",
    "Policy",
    "PolicyError",
    "Precision",
    "Quality",
    "Repetition",
    "Reuse",
    "ThresholdPolicy",
    "Uniform",
    "Variant",
    "bin_of",
]
