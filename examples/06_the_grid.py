"""The grid on its own: readings, a chain of sources, our own forecast and the best window. Runs offline, on a trace."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from grid import Grid, open_source, resolve_zone
from grid.windows import Work, plan

HOUR = timedelta(hours=1)
now = datetime.now(UTC)
start = now.replace(minute=0, second=0, microsecond=0) - 14 * 24 * HOUR
rows = ["time_utc,lifecycle_g_per_kwh"]
for hour in range(14 * 24 + 1):
    when = start + hour * HOUR
    rows.append(f"{when:%Y-%m-%dT%H:%MZ},{250 + 90 * math.cos((when.hour - 19) / 24 * math.tau):.0f}")
Path("example_trace.csv").write_text("\n".join(rows), "utf-8")

zone = resolve_zone("gcp:europe-west9")  # Paris
grid = Grid(open_source("trace:example_trace.csv, yearly", zone=zone), zone, now_utc=lambda: now)
grid.refresh()
grid.refresh_outlook()

reading = grid.look().intensity
print(f"{zone} now: {reading.g_per_kwh:.0f} g/kWh ({reading.kind}, {reading.factors}, {reading.status})")
outlook = grid.outlook()
print(f"ahead: {len(outlook.series)} slots; {outlook.reason}")

work = Work(duration_s=3 * 3600, power_w=300, deadline_utc=now + 24 * HOUR)
best = plan(work, outlook.series)
window = best.windows[0]
print(f"best from {window.start_utc:%H:%M} to {window.end_utc:%H:%M} UTC: {best.emitted_g:.0f} g")
print(f"at once: {best.at_once_g:.0f} g")
grid.close()
