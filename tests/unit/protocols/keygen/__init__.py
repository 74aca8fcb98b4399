"""Behaviour of `console.protocols.keygen`."""
