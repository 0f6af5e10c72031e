"""Rows as spans and measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import Context as Current
from datetime import UTC, datetime, timedelta
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from sprout_like.exports.labels import Capped
from sprout_like.exports.otel.attributes import Value, common, input_tokens, of_span
from sprout_like.feed import Live, Seen
from sprout_like.record import RequestRecord

__all__ = ["DURATION_BUCKETS_S", "TOKEN_BUCKETS", "Telling"]

DURATION_BUCKETS_S: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKEN_BUCKETS: Final = tuple(4.0**power for power in range(14))
"""Both as the conventions advise."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Telling:
    """An exporter's `Observer`: a span and measurements of every request.

    A span has the request's own start and end, and its parent is the span that was current in the caller's thread, so
    that it stands where the request was made although it is told of later.

    Args:
        tracer: makes the spans; None for none.
        meter: makes the measurements; None for none.
        live: asked for the intensity.
        end: called when there are no more rows.
    """

    name = "opentelemetry"

    def __init__(self, tracer: Tracer | None, meter: Meter | None, live: Live, end: Callable[[], object]) -> None:
        self._tracer = tracer
        self._measures = None if meter is None else _Measures(meter, live)
        self._end = end

    def tell(self, rows: Sequence[Seen]) -> None:
        """Hand each request to the tracer and the meter."""
        for row, current in rows:
            if isinstance(row, RequestRecord):
                context = _context_of(current)
                if self._tracer is not None:
                    context = _span(self._tracer, row, context)
                if self._measures is not None:
                    self._measures.take(row, context)

    def close(self) -> None:
        """No more intensities; what was given stays the caller's, what was opened is shut down."""
        if self._measures is not None:
            self._measures.ended = True
        self._end()


def _context_of(current: Current) -> Context:
    return current.run(otel_context.get_current)


def _span(tracer: Tracer, row: RequestRecord, parent: Context) -> Context:
    attributes = of_span(row)
    start_ns = (row.started_utc - _EPOCH) // _MICROSECOND * 1000
    span = tracer.start_span(
        f"{attributes['gen_ai.operation.name']} {row.model}",
        context=parent,
        kind=SpanKind.INTERNAL,  # the model runs in this process
        attributes=attributes,
        start_time=start_ns,
    )
    if row.status == "error":
        span.set_status(Status(StatusCode.ERROR))  # without a description: an error's text may quote the prompt
    span.end(start_ns + round(row.duration_s * 1e9))
    return set_span_in_context(span, parent)


class _Measures:
    def __init__(self, meter: Meter, live: Live) -> None:
        self.ended = False
        self._live = live
        self._capped = {name: Capped() for name in ("gen_ai.request.model", "gen_ai.response.model")}
        self._duration_s = meter.create_histogram(
            "gen_ai.client.operation.duration",
            unit="s",
            description="GenAI operation duration.",
            explicit_bucket_boundaries_advisory=DURATION_BUCKETS_S,
        )
        self._tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=TOKEN_BUCKETS,
        )
        self._energy_j = meter.create_counter(
            "sprout_like.energy", unit="J", description="Energy charged to requests, where it is known."
        )
        self._energy_unknown = meter.create_counter(
            "sprout_like.energy.unknown", unit="{request}", description="Requests whose energy is unknown."
        )
        self._operational_g = meter.create_counter(
            "sprout_like.carbon.operational",
            unit="g",
            description="CO2e of running requests, as logged. Never add up different kinds or factors.",
        )
        self._operational_unknown = meter.create_counter(
            "sprout_like.carbon.operational.unknown",
            unit="{request}",
            description="Requests whose operational emissions are unknown.",
        )
        self._embodied_g = meter.create_counter(
            "sprout_like.carbon.embodied", unit="g", description="CO2e of making the hardware: the requests' share."
        )
        meter.create_observable_gauge(
            "sprout_like.grid.intensity",
            callbacks=[self._intensity],
            unit="g/(kW.h)",
            description="Grid intensity that requests go by, in g CO2e per kWh; absent while it is unknown.",
        )

    def take(self, row: RequestRecord, context: Context) -> None:
        attributes = common(row)
        for name, capped in self._capped.items():
            attributes[name] = capped(str(attributes[name]))
        self._duration_s.record(row.duration_s, attributes, context)
        for kind, tokens in (("input", input_tokens(row)), ("output", row.new_tokens)):
            if tokens is not None:
                self._tokens.record(tokens, {**attributes, "gen_ai.token.type": kind}, context)
        if row.energy_j is None:
            self._energy_unknown.add(1, attributes, context)
        else:
            method: dict[str, Value] = {"sprout_like.energy_method": row.energy_method}
            self._energy_j.add(row.energy_j, {**attributes, **method}, context)
        if row.operational_g is None:
            self._operational_unknown.add(1, attributes, context)
        else:
            kinds: dict[str, Value] = {
                "sprout_like.intensity_kind": row.intensity_kind or "",
                "sprout_like.intensity_factors": row.intensity_factors or "",
            }
            self._operational_g.add(row.operational_g, {**attributes, **kinds}, context)
        if row.embodied_g is not None:
            self._embodied_g.add(row.embodied_g, attributes, context)

    def _intensity(self, _: CallbackOptions) -> Iterable[Observation]:
        now = self._live.grid.look().intensity
        if self.ended or now is None:
            return ()
        provenance = {
            "sprout_like.zone": now.zone,
            "sprout_like.intensity_kind": now.kind,
            "sprout_like.intensity_factors": now.factors,
            "sprout_like.intensity_status": now.status,
            "sprout_like.intensity_source": now.source,
        }
        return (Observation(now.g_per_kwh, provenance),)
