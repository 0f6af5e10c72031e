"""For the tools people have: Prometheus, OpenTelemetry, Grafana, logs, CodeCarbon. See docs/exports.md."""
