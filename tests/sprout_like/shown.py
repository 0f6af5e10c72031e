"""Names of cases that are the same in every process, as those who share out the tests need them."""

from __future__ import annotations

import re


def shown(value: object) -> str:
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
