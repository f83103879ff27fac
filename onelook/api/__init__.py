"""The HTTP API: the routes are in `app.py`, one module for each of their parts."""
