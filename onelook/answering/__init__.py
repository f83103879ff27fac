"""What the nodes share: asking an engine, reading its reply, weighing the answer."""
