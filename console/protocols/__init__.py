"""Threshold cryptography as a library: no input or output, no imports from the rest."""
