"""The desktop window: a client of a node; only the node holds secrets."""
