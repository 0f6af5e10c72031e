"""The ledger is plain SQL: grams per day and directive, with nothing but the standard library."""

import sqlite3

from sprout_like import CarbonAware
from sprout_like.testing import NullEngine

with CarbonAware(None, engine=NullEngine(), grid="static:210", policy="threshold", ledger="example.sqlite") as aware:
    for _ in range(50):
        aware.chat("Why is the sky blue?")

query = """
    SELECT substr(started_utc, 1, 10) AS day, directive, COUNT(*), SUM(energy_j), SUM(operational_g)
    FROM requests WHERE status = 'ok' GROUP BY 1, 2 ORDER BY 1, 2
"""
with sqlite3.connect("example.sqlite") as connection:
    for day, directive, count, joules, grams in connection.execute(query):
        print(f"{day}  {directive:<10}  {count:>3} requests  {joules:.6f} J  {grams:.9f} g")
