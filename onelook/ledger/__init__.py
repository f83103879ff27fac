"""The latency ledger of a run, and the time stamps it is computed from."""
