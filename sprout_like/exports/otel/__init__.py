"""OpenTelemetry: spans and measurements by the GenAI conventions and ours. Needs the extra `otel`.

from sprout_like.exports.otel import export_otel, export_otlp

export_otel(aware, tracer_provider=…, meter_provider=…)   # those that your program has
export_otlp(aware)                                        # or straight to a collector, by OTEL_EXPORTER_OTLP_…
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING

from sprout_like.errors import SettingError
from sprout_like.exports.needing import needing
from sprout_like.feed import Followed, Subscription

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

__all__ = ["export_otel", "export_otlp"]


def export_otel(
    followed: Followed,
    *,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Subscription:
    """Tell OpenTelemetry of every request of a `CarbonAware`, until it or the subscription is closed.

    Args:
        followed: a `CarbonAware`.
        tracer_provider: for spans; None for none. It stays yours to shut down.
        meter_provider: for measurements; None for none.

    Raises:
        SettingError: OpenTelemetry is missing, or neither provider is given.
    """
    if tracer_provider is None and meter_provider is None:
        raise SettingError(
            "otel",
            "neither tracer_provider nor meter_provider is given",
            "Give opentelemetry.trace.get_tracer_provider() for the program's own, or use export_otlp",
        )
    return _subscribed(followed, tracer_provider, meter_provider, lambda: None)


def export_otlp(followed: Followed, endpoint: str | None = None) -> Subscription:
    """Send spans and measurements of a `CarbonAware` to a collector by OTLP over HTTP, and the last ones at its end.

    Args:
        followed: a `CarbonAware`.
        endpoint: the collector's base URL, such as `http://localhost:4318`; None goes by `OTEL_EXPORTER_OTLP_…`.

    Raises:
        SettingError: OpenTelemetry's SDK or its exporter is missing.
    """
    with needing("otel"):
        from sprout_like.exports.otel.otlp import Otlp
    otlp = Otlp(endpoint)
    return _subscribed(followed, otlp.tracer_provider, otlp.meter_provider, otlp.close)


def _subscribed(
    followed: Followed,
    tracer_provider: TracerProvider | None,
    meter_provider: MeterProvider | None,
    end: Callable[[], object],
) -> Subscription:
    with needing("otel"):
        from sprout_like.exports.otel.attributes import SCHEMA_URL
        from sprout_like.exports.otel.observer import Telling
    live, ours = followed.live, version("sprout-like")
    tracer = None if tracer_provider is None else tracer_provider.get_tracer("sprout_like", ours, SCHEMA_URL)
    meter = None if meter_provider is None else meter_provider.get_meter("sprout_like", ours, SCHEMA_URL)
    return live.feed.subscribe(Telling(tracer, meter, live, end))
