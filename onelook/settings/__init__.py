"""Every number and choice that a user can change, each defined in one place."""
