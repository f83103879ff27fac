"""Stamps of a run and the latency ledger that they add up to."""
