"""Workers: what runs jobs when it is time. `worker.py` is the driver; `deciding.py` and `pace.py` are pure."""
