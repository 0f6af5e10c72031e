"""`sprout-like grid …`: how much carbon a kWh carries here, now, next and before. No ledger and no model is needed."""
