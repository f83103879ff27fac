"""What the terminal door shows to people."""
