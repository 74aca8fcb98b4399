"""Signature kinds: the protocols that generate and use their keys, one file per kind."""
