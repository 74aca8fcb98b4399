"""Behaviour of `console.protocols.math`."""
