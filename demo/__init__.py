"""What ships so that the first run needs no download: checkpoints, and how they are made."""
