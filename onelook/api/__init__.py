"""What the HTTP door's routes (server.py) are made of."""
