"""Dashboards for Grafana: `prometheus.json` on what `sprout_like.exports.prometheus` exposes, `postgresql.json` on SQL.

They are in Grafana's classic model, which Grafana 11 to 13 import and later ones migrate by themselves.
"""

from __future__ import annotations

from importlib import resources
from typing import Literal

__all__ = ["Source", "dashboard"]

Source = Literal["prometheus", "postgresql"]


def dashboard(source: Source = "prometheus") -> str:
    """The dashboard as JSON: import it in Grafana and choose the data source there."""
    return resources.files(__package__).joinpath(f"{source}.json").read_text("utf-8")
