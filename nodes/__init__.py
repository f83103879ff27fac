"""One file a node. A node is a plain async function: services, state and runtime in, part of the state out."""
