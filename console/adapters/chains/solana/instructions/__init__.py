"""Decoding of instructions, for the programs that are understood."""
