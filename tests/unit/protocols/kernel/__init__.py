"""Behaviour of `console.protocols.kernel`."""
