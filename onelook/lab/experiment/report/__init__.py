"""The report of an experiment: figures from the recorded outcomes, and the files that show them."""
