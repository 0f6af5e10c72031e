"""What exporters cost: a request's time with and without them, in turns, and what their own threads take per row.

The engine does nothing, and every request leaves a durable SQLite row. Spans and measurements end in the SDK's memory,
lines of the log nowhere; what a collector or a terminal takes is not ours.
"""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from contextvars import copy_context
from pathlib import Path

from benchmarks.harness import interleaved, percentiles, spread, timed, write_result

ROUNDS = 3000
_WARM_UP = 100
_ROWS = 5000


def main() -> None:
    """Measure and write the result."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    from sprout_like import CarbonAware
    from sprout_like.exports.logs import JsonFormatter, log_requests
    from sprout_like.exports.otel import export_otel
    from sprout_like.exports.prometheus import start_metrics
    from sprout_like.feed import Seen
    from sprout_like.ledger.testing import sample_request
    from sprout_like.testing import NullEngine

    logging.getLogger("sprout_like").setLevel(logging.ERROR)
    logger = logging.Logger("requests")
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)

    class Nothing:
        name = "nothing"

        def tell(self, rows: Sequence[Seen]) -> None:
            """Look at none."""

        def close(self) -> None:
            """Hold nothing."""

    with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:

        def wrap(name: str) -> CarbonAware:
            ledger = str(Path(folder) / f"{name}.sqlite")
            return opened.enter_context(
                CarbonAware(None, engine=NullEngine(), grid="static:150", ledger=ledger, meter="none", policy="full")
            )

        wrapped = {name: wrap(name) for name in ("without", "queue", "prometheus", "otel", "log")}
        wrapped["queue"].live.feed.subscribe(Nothing())
        start_metrics(wrapped["prometheus"], 0)
        meters, tracers = MeterProvider((InMemoryMetricReader(),)), TracerProvider()
        export_otel(wrapped["otel"], tracer_provider=tracers, meter_provider=meters)
        log_requests(wrapped["log"], logger)
        seconds = interleaved({name: aware.generate for name, aware in wrapped.items()}, ROUNDS, warm_up=_WARM_UP)
        rows = [Seen(sample_request(number), copy_context()) for number in range(_ROWS)]
        taken_us = {}
        for name in ("prometheus", "otel", "log"):
            observer = wrapped[name].live.feed._subscriptions[0]._observer  # noqa: SLF001
            taken_us[name] = round(timed(lambda told=observer.tell: told(rows)) / _ROWS * 1e6, 1)
    write_result(
        "export_time",
        {
            "per_request": {name: percentiles(taken) for name, taken in seconds.items()},
            "over_without": {
                name: spread([one / other for one, other in zip(taken, seconds["without"], strict=True)])
                for name, taken in seconds.items()
                if name != "without"
            },
            "own_thread_us_per_row": taken_us,
            "notes": {"queue": "an exporter that does nothing: what every exporter costs on the request's path"},
        },
    )


if __name__ == "__main__":
    main()
