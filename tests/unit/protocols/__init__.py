"""Threshold protocols: steps, encodings and the session kernel."""
