"""Who measures the joules, and how they are shared out. Start reading at `meter.py`, then `accounts.py`."""

from __future__ import annotations

from sprout_like.meters.accounts import Accounts
from sprout_like.meters.charge import charged_devices
from sprout_like.meters.cpu_model import CpuModelMeter
from sprout_like.meters.host import Host, open_host
from sprout_like.meters.meter import (
    NOTHING_RAN,
    UNKNOWN,
    Component,
    Device,
    Energy,
    EnergyMethod,
    Meter,
    ProcessUse,
    TellsUse,
)
from sprout_like.meters.none import NoMeter
from sprout_like.meters.nvml import NvmlMeter
from sprout_like.meters.rapl import RaplMeter
from sprout_like.meters.select import Attempt, MeterChoice, MeterOptions, auto_meter, open_meter
from sprout_like.meters.shared_accounts import AccountsRegistry, MeterSettings, meter_options, open_accounts
from sprout_like.meters.sinks import Sink
from sprout_like.meters.sum import SumMeter
from sprout_like.meters.window import Window

__all__ = [
    "NOTHING_RAN",
    "UNKNOWN",
    "Accounts",
    "AccountsRegistry",
    "Attempt",
    "Component",
    "CpuModelMeter",
    "Device",
    "Energy",
    "EnergyMethod",
    "Host",
    "Meter",
    "MeterChoice",
    "MeterOptions",
    "MeterSettings",
    "NoMeter",
    "NvmlMeter",
    "ProcessUse",
    "RaplMeter",
    "Sink",
    "SumMeter",
    "TellsUse",
    "Window",
    "auto_meter",
    "charged_devices",
    "meter_options",
    "open_accounts",
    "open_host",
    "open_meter",
]
