"""Every source that asks over HTTP."""

from __future__ import annotations

from tests.contracts.source_cases import uk
from tests.contracts.source_cases.case import HttpCase

CASES: list[HttpCase] = [*uk.CASES]
