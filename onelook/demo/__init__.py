"""What a first run needs and nothing else: small checkpoints and a dozen drawings."""
