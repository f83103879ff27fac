"""Traces of runs, if they are enabled; never with a picture."""
