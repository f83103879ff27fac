"""The state machine: state, arms, build, instrument, studio."""

if __name__ == "graph":  # found in the folder of the checkout, under a name that other projects use too
    raise ImportError("import onelook.graph: the folder graph/ of this checkout is a part of the package onelook")
