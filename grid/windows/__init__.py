"""When to run: the spans in which a piece of work emits least. Pure; needs numpy."""

from grid.windows.plan import plan, plan_many
from grid.windows.work import Window, WindowPlan, Work

__all__ = ["Window", "WindowPlan", "Work", "plan", "plan_many"]
