"""From the settings and the parts of a middleware to its live policy, made when it is first asked for."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from directives import Catalogue, Directive
from directives.constraints import Constraints
from directives.evidence import Evidence
from directives.plan import Plan
from grid import Grid
from sprout_like.background import within
from sprout_like.carbon import embodied_g
from sprout_like.choosing.constraints import constraints_of
from sprout_like.clock import Clock
from sprout_like.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine as DatabaseEngine

    from sprout_like.choosing.knowledge import Knowledge
    from sprout_like.choosing.live import LivePolicy

__all__ = ["OnDemand", "solver"]

_FIRST_LOOK_S: Final = 5.0
"""How long construction waits for the ledger's policy; a later answer is picked up in the background."""


class Fitting(Protocol):
    """What is asked of an engine before there is a call."""

    @property
    def model(self) -> str:
        """The model's name or path, as in the rows."""
        ...

    def misfit(self, directive: Directive) -> str | None:
        """Why the directive can never be applied to this model; None where some call may have it."""
        ...


class OnDemand:
    """The one live policy of a middleware and all its views.

    Args:
        database: makes an engine on the ledger's database; None where the ledger was given as an object.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        catalogue: Catalogue,
        model: Any,
        engine: Fitting,
        grid: Grid,
        database: Callable[[], DatabaseEngine] | None,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._model = model
        self._engine = engine
        self._grid = grid
        self._database = database
        self._clock = clock
        self._making = threading.Lock()
        self._live: LivePolicy | None = None

    def policy(self) -> LivePolicy:
        """The policy, from what the ledger holds.

        Raises:
            SettingError: the settings do not fit each other. What the traffic or the grid rules out is no error: the
                log names it, and the plan that there is, or `full`, goes on.
        """
        from sprout_like.choosing.live import LivePolicy

        with self._making:
            if self._live is None:
                live = LivePolicy(
                    self._knowledge(),
                    constraints_of(self._settings, self._catalogue),
                    solve=solver(self._settings),
                    intensity=self._intensity,
                    monotonic_s=self._clock.monotonic_s,
                )
                within(_FIRST_LOOK_S, live.tick, name="sprout-like-first-plan")
                self._live = live
            return self._live

    def tick(self) -> None:
        """Called about once a second from the background."""
        if self._live is not None:
            self._live.tick()

    def close(self) -> None:
        """Release what reads the ledger."""
        if self._live is not None:
            self._live.close()

    def _knowledge(self) -> Knowledge:
        from sprout_like.choosing.initial import initial_evidence
        from sprout_like.choosing.knowledge import Nothing

        directives = [d for d in self._catalogue if not d.knobs or self._engine.misfit(d) is None]
        if self._database is None:
            return Nothing(initial_evidence(None, directives))
        from sprout_like.choosing.stored import LedgerKnowledge

        return LedgerKnowledge(
            self._database(),
            model=self._engine.model,
            catalogue_version=self._catalogue.version,
            directives=directives,
            hardware=functools.cache(self._hardware),
        )

    def _hardware(self) -> str:
        from sprout_like.calibrate.machine import hardware
        from sprout_like.calibrate.model import gpu_names

        return hardware(gpu_names(self._model) if hasattr(self._model, "parameters") else ())

    def _intensity(self) -> float | None:
        try:
            reading = self._grid.look().intensity
        except Exception:  # noqa: BLE001 - a grid may be anyone's code; each request finds and says the same
            return None
        return None if reading is None else reading.g_per_kwh


def solver(settings: Settings) -> Callable[[Evidence, Constraints, float | None], Plan]:
    """Plans for the site and the hardware that the settings describe."""

    def solved(evidence: Evidence, constraints: Constraints, intensity_g_per_kwh: float | None) -> Plan:
        from directives.solving import solve

        return solve(
            evidence,
            constraints,
            pue=settings.pue,
            embodied_g_per_s=embodied_g(settings.embodied, 1.0) or 0.0,  # where unknown, no plan can heed it
            intensity_g_per_kwh=intensity_g_per_kwh,
        )

    return solved
