"""The inbox of requests."""
