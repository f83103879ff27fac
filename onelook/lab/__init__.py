"""Experiments on labelled pictures: how right answers are, and how much their confidence is worth."""
