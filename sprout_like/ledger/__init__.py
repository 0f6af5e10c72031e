"""The SQL store: one row per request, one per device and energy account. Start reading at `ledger.py`."""
