"""Which directive should this request get? Pure decisions on plain values: no HTTP, torch, SQL or clock."""

from directives.catalogue import Catalogue
from directives.directive import FULL, Budget, Directive
from directives.errors import CatalogueError, DirectiveError, PolicyError
from directives.policies import FixedPolicy, ThresholdPolicy
from directives.policy import Decision, Group, Observation, Policy, Uniform

__all__ = [
    "FULL",
    "Budget",
    "Catalogue",
    "CatalogueError",
    "Decision",
    "Directive",
    "DirectiveError",
    "FixedPolicy",
    "Group",
    "Observation",
    "Policy",
    "PolicyError",
    "ThresholdPolicy",
    "Uniform",
]
