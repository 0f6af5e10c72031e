"""From the ledger's rows to the next policy: what is known, what follows, what it would change, whether to take it."""
