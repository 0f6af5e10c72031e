"""Settlement: provisional intensities get the published actual beside them. Start reading at `settle.py`."""
