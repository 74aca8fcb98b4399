"""The desktop window: a client of a node, which alone holds anything secret."""
