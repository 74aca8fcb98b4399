"""Behaviour of `console.protocols.frost`."""
