"""Oblivious transfer: base transfers, their extension, and products of shared secrets (VOLE).

These steps are symmetric cryptography over large integers, so secrets pass through immutable
integers and bytes for the length of a step; what outlives a step is held in SecretBytes.
"""
