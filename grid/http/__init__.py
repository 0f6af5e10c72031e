"""Asking over HTTP: one client per source, one time limit, retries where they help, a breaker where they do not."""
