"""Behaviour of `console.protocols.derivation`."""
