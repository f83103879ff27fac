"""Every number and choice that a user may change, each with one home."""
