"""Metrics of processes that end before anybody scrapes them: pushed to a gateway."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http.client import HTTPException
from typing import Final

from prometheus_client import CollectorRegistry, push_to_gateway

from sprout_like.background import Background

__all__ = ["Pushing"]

_LOG = logging.getLogger("sprout_like")

_TIMEOUT_S: Final = 5.0


class Pushing:
    """Pushes a registry now and then, and a last time when it is closed; a gateway that fails is tried again.

    Args:
        registry: what is pushed. gateway: its URL or HOST:PORT.
        job, grouping: the key under which the gateway keeps these metrics; a push replaces the last of the same key.
        every_s: time between pushes, in s.
    """

    def __init__(
        self, registry: CollectorRegistry, gateway: str, job: str, grouping: Mapping[str, str], every_s: float
    ) -> None:
        self._registry = registry
        self._gateway = gateway
        self._job = job
        self._grouping = dict(grouping)
        self._well = True
        self._background = Background({"push of metrics": self.push}, interval_s=every_s, patient=False)

    def push(self) -> None:
        """Push once; a failure is logged, once until it goes well again."""
        try:
            push_to_gateway(self._gateway, self._job, self._registry, self._grouping, timeout=_TIMEOUT_S)
        except (OSError, ValueError, HTTPException) as exc:  # all that urllib raises
            if self._well:
                # By class alone: its text, as the address, may hold a password.
                _LOG.warning("metrics cannot be pushed (%s); it is tried again", type(exc).__qualname__)
            self._well = False
        else:
            self._well = True

    def close(self) -> None:
        """Push what is left, and stop."""
        self._background.close()
        self.push()
