"""Oblivious transfer, its extension, and multiplication."""
