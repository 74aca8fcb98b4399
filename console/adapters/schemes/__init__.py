"""Signature kinds: which protocols make and use their keys, one file a kind."""
