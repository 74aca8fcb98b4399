"""Verifiable logs: RFC 9162 Merkle trees, their proofs and tiles, and signed checkpoints.

Nothing here reads a file or knows what a record is.
"""
