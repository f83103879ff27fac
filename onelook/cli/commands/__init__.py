"""One file a command. Each is imported only when it runs, so that none waits for what another one needs."""
