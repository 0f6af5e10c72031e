"""Providers that send to a collector; ours to shut down."""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

__all__ = ["Otlp"]


class Otlp:
    """A tracer's and a meter's provider, of which nothing is global.

    Args:
        endpoint: the collector's base URL; None goes by the environment.
    """

    def __init__(self, endpoint: str | None) -> None:
        base = None if endpoint is None else endpoint.rstrip("/")
        resource = Resource.create()  # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES name the service
        self.tracer_provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        spans = OTLPSpanExporter(endpoint=None if base is None else f"{base}/v1/traces")
        self.tracer_provider.add_span_processor(BatchSpanProcessor(spans))
        measures = OTLPMetricExporter(endpoint=None if base is None else f"{base}/v1/metrics")
        reader = PeriodicExportingMetricReader(measures)
        self.meter_provider = MeterProvider((reader,), resource=resource, shutdown_on_exit=False)

    def close(self) -> None:
        """Send what is left, and stop."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()
