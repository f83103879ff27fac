"""One file a node. A node is a plain async function: services, state and runtime in, a part of the state out.

A node that decides writes the edge to take into `way` and the reason into `why`; a node that ends the run writes
`result`.
"""

if __name__ == "nodes":  # found in the folder of the checkout, under a name that other projects use too
    raise ImportError("import onelook.nodes: the folder nodes/ of this checkout is a part of the package onelook")
