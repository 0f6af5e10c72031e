"""What Prometheus is told: counters and histograms that go up with every row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from sprout_like.exports.labels import LONGEST, MOST_VALUES, Capped
from sprout_like.feed import Seen
from sprout_like.record import AccountRecord, RequestRecord

__all__ = ["DURATION_BUCKETS_S", "Metrics"]

DURATION_BUCKETS_S: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
"""Those of `gen_ai.client.operation.duration` in the OpenTelemetry conventions, so that the two can be compared."""

_REQUEST: Final = ("model", "directive", "task", "zone", "purpose", "group")
_CAPPED: Final = (*_REQUEST, "device")
_BOUND: Final = (
    f" Each of {', '.join(_REQUEST)} has {MOST_VALUES} values of {LONGEST} characters at most; later ones are 'other'."
)


class Metrics:
    """An exporter's `Observer`: adds up rows as they were logged. What is settled later is in the ledger alone.

    Nothing unknown is added as 0: a request without energy, or without carbon, raises a counter of those instead.

    Args:
        registry: where the metrics are registered. most_values: of each label, see `Capped`.
    """

    name = "prometheus"

    def __init__(self, registry: CollectorRegistry, *, most_values: int = MOST_VALUES) -> None:
        self.registry = registry
        self.labels = {name: Capped(most_values) for name in _CAPPED}

        def counter(name: str, what: str, *more: str) -> Counter:
            return Counter(f"sprout_like_{name}", what + _BOUND, (*_REQUEST, *more), registry=registry)

        self._requests = counter("requests", "Requests, failed ones included.", "status")
        self._prompt_tokens = counter("prompt_tokens", "Tokens in the callers' prompts.")
        self._new_tokens = counter("new_tokens", "Generated tokens.")
        self._reused_tokens = counter("reused_tokens", "Prompt tokens that were not computed again.")
        self._energy_j = counter("energy_joules", "Energy charged to requests, where it is known.", "method")
        self._uncertainty_j = counter(
            "energy_uncertainty_joules", "Half-widths of these energies; those of one meter add up.", "method"
        )
        self._energy_unknown = counter("energy_unknown_requests", "Requests whose energy is unknown.")
        self._operational_g = counter(
            "operational_carbon_grams",
            "CO2e of running requests, as logged. Never add up different kinds or factors.",
            "kind",
            "factors",
        )
        self._operational_unknown = counter(
            "operational_carbon_unknown_requests", "Requests whose operational emissions are unknown."
        )
        self._embodied_g = counter("embodied_carbon_grams", "CO2e of making the hardware: the requests' share.")
        self._embodied_unknown = counter(
            "embodied_carbon_unknown_requests", "Requests whose embodied share is unknown."
        )
        self._overhead_s = counter("middleware_seconds", "The middleware's own time, logging excluded.")
        self._duration_s = Histogram(
            "sprout_like_request_duration_seconds",
            "From the call to the answer, waiting for the model included.",
            ("model", "directive", "status"),
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._first_token_s = Histogram(
            "sprout_like_first_token_seconds",
            "From the engine's start to the first new token, of requests that stream.",
            ("model", "directive"),
            buckets=DURATION_BUCKETS_S,
            registry=registry,
        )
        self._device_j = Counter(
            "sprout_like_device_energy_joules",
            "What a device drew in closed account periods, by where it went; the parts add up to the counter.",
            ("device", "component", "method", "part"),
            registry=registry,
        )

    def tell(self, rows: Sequence[Seen]) -> None:
        """Add rows up."""
        for row, _ in rows:
            if isinstance(row, RequestRecord):
                self._request(row)
            elif isinstance(row, AccountRecord):
                self._account(row)

    def close(self) -> None:
        """Nothing is held."""

    def _request(self, row: RequestRecord) -> None:
        capped = self.labels
        model, directive = capped["model"](row.model), capped["directive"](row.directive)
        labels = (
            model,
            directive,
            capped["task"](row.task if row.task is not None else row.inferred_task),
            capped["zone"](row.zone),
            capped["purpose"](row.purpose),
            capped["group"](row.decision_group),
        )
        self._requests.labels(*labels, row.status).inc()
        for counter, tokens in (
            (self._prompt_tokens, row.prompt_tokens),
            (self._new_tokens, row.new_tokens),
            (self._reused_tokens, row.reused_tokens),
        ):
            if tokens is not None:
                counter.labels(*labels).inc(tokens)
        if row.energy_j is None:
            self._energy_unknown.labels(*labels).inc()
        else:
            self._energy_j.labels(*labels, row.energy_method).inc(row.energy_j)
            if row.energy_uncertainty_j is not None:
                self._uncertainty_j.labels(*labels, row.energy_method).inc(row.energy_uncertainty_j)
        if row.operational_g is None:
            self._operational_unknown.labels(*labels).inc()
        else:
            kind, factors = row.intensity_kind or "", row.intensity_factors or ""
            self._operational_g.labels(*labels, kind, factors).inc(row.operational_g)
        if row.embodied_g is None:
            self._embodied_unknown.labels(*labels).inc()
        else:
            self._embodied_g.labels(*labels).inc(row.embodied_g)
        self._overhead_s.labels(*labels).inc(max(0.0, row.overhead_s))
        self._duration_s.labels(model, directive, row.status).observe(row.duration_s)
        if row.first_token_s is not None:
            self._first_token_s.labels(model, directive).observe(row.first_token_s)

    def _account(self, row: AccountRecord) -> None:
        device = self.labels["device"](row.device_id)
        for part, energy_j in (
            ("requests", row.requests_j),
            ("elsewhere", row.elsewhere_j),
            ("overhead", row.overhead_j),
            ("idle", row.idle_j),
        ):
            # A part can be negative by a rounding of the counter's differences, which a counter must not go by.
            self._device_j.labels(device, row.component, row.method, part).inc(max(0.0, energy_j))
