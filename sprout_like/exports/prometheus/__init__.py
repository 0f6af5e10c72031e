"""Prometheus: `/metrics` on a port of this machine, or pushed to a gateway. Needs the extra `prometheus`.

    from sprout_like.exports.prometheus import start_metrics

    metrics = start_metrics(aware)      # http://127.0.0.1:9464/metrics

Or, with no line of code: `SPROUT_METRICS_PORT=9464`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Protocol

from sprout_like.errors import SproutError
from sprout_like.exports.needing import needing
from sprout_like.feed import Followed, Live, Seen, Subscription

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from sprout_like.exports.prometheus.metrics import Metrics

__all__ = ["DEFAULT_PORT", "Exported", "push_metrics", "serve_as_set", "start_metrics"]

DEFAULT_PORT: Final = 9464
"""The port of OpenTelemetry's exporter for Prometheus, in Prometheus' own list of default ports."""


class Exported:
    """Metrics on their way to Prometheus; they end with `close`, or with the object that they are of.

    Attributes:
        registry: they are registered there; nothing of this is in the library's global one.
        url: where they are served; None where they are pushed.
    """

    def __init__(self, registry: CollectorRegistry, subscription: Subscription, url: str | None) -> None:
        self.registry = registry
        self.url = url
        self._subscription = subscription

    def refresh(self) -> None:
        """Add up now what would be within a second."""
        self._subscription.deliver()

    def close(self) -> None:
        """Stop. Safe to call twice."""
        self._subscription.close()


def start_metrics(
    followed: Followed,
    port: int = DEFAULT_PORT,
    *,
    address: str = "127.0.0.1",
    registry: CollectorRegistry | None = None,
) -> Exported:
    """Serve the metrics of a `CarbonAware` until it is closed.

    Where `PROMETHEUS_MULTIPROC_DIR` is set, the counters of all processes that share the folder are served.

    Args:
        followed: a `CarbonAware`.
        port: of this machine; 0 for any free one.
        address: of this machine; another than loopback opens the metrics to whoever reaches it.
        registry: where they are registered; None makes one.

    Raises:
        SettingError: prometheus-client is missing, or the port is taken.
        ValueError: the registry holds such metrics already.
    """
    with needing("prometheus"):
        from sprout_like.exports.prometheus.server import MetricsServer
    registry = registry or _new_registry()
    served = _of_all_processes(registry)
    server = MetricsServer(served, port, address)
    with ExitStack() as opened:
        opened.callback(server.close)
        subscription = _subscribed(followed.live, registry, served, server.close)
        opened.pop_all()
    return Exported(registry, subscription, server.url)


def push_metrics(
    followed: Followed,
    gateway: str,
    *,
    job: str = "sprout-like",
    grouping: Mapping[str, str] | None = None,
    every_s: float = 15.0,
    registry: CollectorRegistry | None = None,
) -> Exported:
    """Push the metrics of a `CarbonAware` to a Pushgateway, and a last time when it is closed.

    Args:
        followed: a `CarbonAware`.
        gateway: its URL or HOST:PORT.
        job: name of the job.
        grouping: what tells this process from others of the job; None for its host and process id.
        every_s: time between pushes, in s.
        registry: where they are registered; None makes one.

    Raises:
        SettingError: prometheus-client is missing.
    """
    with needing("prometheus"):
        from sprout_like.exports.prometheus.push import Pushing
    registry = registry or _new_registry()
    who = {"instance": f"{socket.gethostname()}:{os.getpid()}"} if grouping is None else grouping
    pushing = Pushing(registry, gateway, job, who, every_s)
    with ExitStack() as opened:
        opened.callback(pushing.close)
        subscription = _subscribed(followed.live, registry, registry, pushing.close)
        opened.pop_all()
    return Exported(registry, subscription, None)


class _Closing(Followed, Protocol):
    def close(self) -> None: ...


def serve_as_set(parts: _Closing, port: int) -> None:
    """What the setting `metrics_port` asks for.

    Raises:
        SettingError: as `start_metrics`; the parts are closed.
    """
    try:
        start_metrics(parts, port)
    except SproutError:
        parts.close()
        raise


def _new_registry() -> CollectorRegistry:
    with needing("prometheus"):
        from prometheus_client import CollectorRegistry
    return CollectorRegistry()


def _of_all_processes(registry: CollectorRegistry) -> CollectorRegistry:
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return registry
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return together


def _subscribed(
    live: Live, registry: CollectorRegistry, served: CollectorRegistry, end: Callable[[], object]
) -> Subscription:
    from sprout_like.exports.prometheus.metrics import Metrics
    from sprout_like.exports.prometheus.standing import Standing

    metrics = Metrics(registry)
    subscription = live.feed.subscribe(_Ending(metrics, end))
    served.register(Standing(live, subscription, metrics.labels))
    return subscription


class _Ending:
    """Metrics, and what is to end with them."""

    def __init__(self, metrics: Metrics, end: Callable[[], object]) -> None:
        self.name = metrics.name
        self._metrics = metrics
        self._end = end

    def tell(self, rows: Sequence[Seen]) -> None:
        self._metrics.tell(rows)

    def close(self) -> None:
        self._end()
