"""Prove operator and token."""
