"""Who says which of two answers is better: an endpoint, a local model, or a comparison with a reference."""
