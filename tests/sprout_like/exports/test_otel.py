"""Spans stand where the request was made, measurements have the conventions' names, and neither holds a text."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sprout_like import CarbonAware
from sprout_like.errors import SettingError
from sprout_like.ledger.testing import sample_request
from sprout_like.testing import NullEngine

pytest.importorskip("opentelemetry.sdk", reason="needs the extra otel")

from opentelemetry import metrics as global_metrics
from opentelemetry import trace as global_trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from sprout_like.exports.otel import export_otel, export_otlp
from sprout_like.exports.otel.attributes import CONVENTIONS, SCHEMA_URL

Wrap = Callable[..., CarbonAware]
SECRET = "the prompt of Mrs Jones"


class Backend:
    """What arrived."""

    def __init__(self) -> None:
        self.spans = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.meters = MeterProvider((self.reader,), shutdown_on_exit=False)

    def points(self) -> dict[str, list[Any]]:
        data = self.reader.get_metrics_data()
        found = [] if data is None else [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics]
        return {metric.name: list(metric.data.data_points) for metric in found}


@pytest.fixture
def backend() -> Iterator[Backend]:
    backend = Backend()
    yield backend
    backend.tracers.shutdown()
    backend.meters.shutdown()


def exported(followed: Any, backend: Backend, *rows: Any) -> None:
    subscription = export_otel(followed, tracer_provider=backend.tracers, meter_provider=backend.meters)
    followed.put(*rows)
    subscription.deliver()


def test_a_span_has_the_requests_own_time_and_the_conventions_names(followed: Any, backend: Backend) -> None:
    row = sample_request(call="chat", finish_reason="eos+length", reused_tokens=5)
    exported(followed, backend, row)
    (span,) = backend.spans.get_finished_spans()
    assert span.name == f"chat {row.model}"
    assert span.kind is SpanKind.INTERNAL
    assert span.start_time == int(row.started_utc.timestamp()) * 1_000_000_000
    assert span.end_time == span.start_time + 1_500_000_000
    assert span.status.status_code is StatusCode.UNSET
    attributes = dict(span.attributes or {})
    assert attributes["gen_ai.operation.name"] == "chat"
    assert attributes["gen_ai.request.model"] == attributes["gen_ai.response.model"] == row.model
    assert attributes["gen_ai.usage.input_tokens"] == 40  # 33 of the caller's, 7 of the instruction
    assert attributes["gen_ai.usage.output_tokens"] == 32
    assert attributes["gen_ai.usage.cache_read.input_tokens"] == 5
    assert attributes["gen_ai.response.finish_reasons"] == ("stop", "length")
    assert attributes["gen_ai.response.time_to_first_chunk"] == pytest.approx(1.5 - 1.125 + 0.0625)
    assert attributes["sprout_like.energy_j"] == 20
    assert attributes["sprout_like.intensity_kind"] == "average"
    assert attributes["sprout_like.tags.team"] == "search"
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.schema_url == SCHEMA_URL


def test_every_name_of_the_conventions_is_one_of_theirs() -> None:
    known = pytest.importorskip("opentelemetry.semconv._incubating.attributes.gen_ai_attributes")
    from sprout_like.exports.otel.attributes import of_span

    row = sample_request(call="chat", error_type="ValueError", status="error", reused_tokens=1)
    ours = {name for name in of_span(row) if name.startswith("gen_ai.")}
    assert len(ours) >= 10
    assert ours <= {value for name, value in vars(known).items() if name.startswith("GEN_AI_")}
    assert CONVENTIONS == "1.41.1"


def test_what_is_unknown_is_left_out(followed: Any, backend: Backend) -> None:
    nothing = ("energy_j", "operational_g", "embodied_g", "prompt_tokens", "new_tokens", "first_token_s")
    exported(followed, backend, sample_request(**dict.fromkeys(nothing)))
    (span,) = backend.spans.get_finished_spans()
    names = set(span.attributes or {})
    assert not names & {"sprout_like.energy_j", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"}
    points = backend.points()
    assert points["sprout_like.energy.unknown"][0].value == 1
    assert points["sprout_like.carbon.operational.unknown"][0].value == 1
    assert not points.keys() & {"sprout_like.energy", "gen_ai.client.token.usage", "sprout_like.carbon.operational"}


def test_measurements_add_up_and_kinds_are_apart(followed: Any, backend: Backend) -> None:
    exported(followed, backend, sample_request(0), sample_request(1), sample_request(2, intensity_kind="marginal"))
    points = backend.points()
    (energy,) = points["sprout_like.energy"]
    assert energy.value == 60
    assert energy.attributes["sprout_like.energy_method"] == "measured"
    grams = {
        point.attributes["sprout_like.intensity_kind"]: point.value
        for point in points["sprout_like.carbon.operational"]
    }
    assert grams["average"] == pytest.approx(2 * grams["marginal"])
    tokens = {point.attributes["gen_ai.token.type"]: point for point in points["gen_ai.client.token.usage"]}
    assert (tokens["input"].sum, tokens["output"].sum) == (120, 96)
    assert tokens["input"].explicit_bounds[:4] == (1, 4, 16, 64)
    (duration,) = points["gen_ai.client.operation.duration"]
    assert (duration.count, duration.sum) == (3, 4.5)
    assert duration.explicit_bounds[0] == 0.01
    (intensity,) = points["sprout_like.grid.intensity"]
    assert intensity.value == 100


def test_the_callers_span_is_the_parent(wrap: Wrap, backend: Backend) -> None:
    aware = wrap()
    subscription = export_otel(aware, tracer_provider=backend.tracers)
    with backend.tracers.get_tracer("app").start_as_current_span("handle") as handling:
        aware.chat("x")
    subscription.deliver()
    spans = {span.name: span for span in backend.spans.get_finished_spans()}
    request = spans["chat null"]
    assert request.parent is not None
    assert request.parent.span_id == handling.get_span_context().span_id
    assert spans["handle"].start_time <= request.start_time <= request.end_time <= spans["handle"].end_time


def test_a_failed_request_is_an_error_without_its_message(wrap: Wrap, backend: Backend) -> None:
    aware = wrap(engine=NullEngine(error=ValueError(SECRET)))
    subscription = export_otel(aware, tracer_provider=backend.tracers, meter_provider=backend.meters)
    with pytest.raises(ValueError, match=SECRET):
        aware.chat(SECRET)
    subscription.deliver()
    (span,) = backend.spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ValueError"
    assert SECRET not in span.to_json()
    (duration,) = backend.points()["gen_ai.client.operation.duration"]
    assert duration.attributes["error.type"] == "ValueError"


def test_nothing_global_is_touched_and_what_was_given_stays_open(wrap: Wrap, backend: Backend) -> None:
    before = global_trace.get_tracer_provider(), global_metrics.get_meter_provider()
    aware = wrap()
    export_otel(aware, tracer_provider=backend.tracers, meter_provider=backend.meters)
    aware.close()
    assert (global_trace.get_tracer_provider(), global_metrics.get_meter_provider()) == before
    with backend.tracers.get_tracer("app").start_as_current_span("later"):
        pass
    assert [span.name for span in backend.spans.get_finished_spans()] == ["later"]
    assert "sprout_like.grid.intensity" not in backend.points()


def test_one_provider_at_least_is_wanted(wrap: Wrap) -> None:
    with pytest.raises(SettingError, match="neither tracer_provider nor meter_provider"):
        export_otel(wrap())


class Collector(BaseHTTPRequestHandler):
    got: dict[str, bytes]

    def do_POST(self) -> None:
        self.got[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_collector_gets_the_last_requests_at_the_end(wrap: Wrap) -> None:
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    handler = type("OneCollector", (Collector,), {"got": {}})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        aware = wrap()
        export_otlp(aware, f"http://127.0.0.1:{server.server_port}/")
        served = aware.chat("x").record
        aware.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    spans = ExportTraceServiceRequest.FromString(handler.got["/v1/traces"])
    (span,) = spans.resource_spans[0].scope_spans[0].spans
    ids = {attribute.key: attribute.value.string_value for attribute in span.attributes}
    assert ids["gen_ai.response.id"] == served.request_id
    measures = ExportMetricsServiceRequest.FromString(handler.got["/v1/metrics"])
    names = {metric.name for metric in measures.resource_metrics[0].scope_metrics[0].metrics}
    assert {"gen_ai.client.operation.duration", "sprout_like.energy.unknown"} <= names
    assert isinstance(served.started_utc, datetime)
