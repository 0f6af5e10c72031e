"""A report as a page and as data, and a check that it still agrees with the ledger.

No model is needed, but the page's plots are: `pip install "sprout-like[plot]"`.
"""

import json
import subprocess
import sys
from pathlib import Path

from sprout_like import CarbonAware
from sprout_like.testing import NullEngine

with CarbonAware(None, engine=NullEngine(), grid="static:210", policy="threshold", ledger="report.sqlite") as aware:
    for question in range(60):
        aware.using(task="question").chat(f"Question {question}?", tags={"team": "search" if question % 3 else "ads"})


def sprout_like(*arguments: str) -> str:
    command = [sys.executable, "-m", "sprout_like", *arguments, "--ledger", "report.sqlite"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603


sprout_like("report", "--by", "tag:team,directive", "--out", "report.html", "--force")
print(f"report.html: {len(Path('report.html').read_text('utf-8')) // 1024} KiB, opens without a network")
print(sprout_like("report", "verify", "report.html").strip())

report = json.loads(sprout_like("report", "--by", "tag:team", "--format", "json"))
for line in report["lines"]:
    print(line["group"], line["usage"]["requests"], "requests", line["usage"]["energy_j"])
