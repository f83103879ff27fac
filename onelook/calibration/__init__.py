"""How far a probability is to be believed."""
