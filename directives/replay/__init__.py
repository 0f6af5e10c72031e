"""A simulation of the system in service, on requests whose every answer was measured and judged.

Not part of `directives`' own names, as it loads numpy.
"""

from directives.replay.context import Context
from directives.replay.data import Prompts, Window, Year
from directives.replay.run import SCHEMES, Experiment, replay
from directives.replay.simulation import Outcome

__all__ = ["SCHEMES", "Context", "Experiment", "Outcome", "Prompts", "Window", "Year", "replay"]
