"""Implementations of the application ports; only bootstrap imports them."""
