"""Decide on a request and watch it being signed."""
