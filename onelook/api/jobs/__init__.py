"""Jobs: many pictures that are tagged while nobody waits for the response, and that a restart does not lose."""
