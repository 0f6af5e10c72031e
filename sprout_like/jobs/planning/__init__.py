"""When and where jobs run: pure, from what is left of them, the stations and their outlooks. Loads numpy."""

from sprout_like.jobs.planning.data import Agenda, Due, Expected, Late, Span, Station
from sprout_like.jobs.planning.plan import fits, plan_jobs

__all__ = ["Agenda", "Due", "Expected", "Late", "Span", "Station", "fits", "plan_jobs"]
