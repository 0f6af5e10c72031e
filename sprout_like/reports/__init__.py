"""What the ledger says: sums, shares and savings, for people and for machines."""
