"""Decide on a request and follow its signing session."""
