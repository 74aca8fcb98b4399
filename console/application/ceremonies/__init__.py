"""Ceremonies: shares made and changed, from proposal to certificate and next epoch."""
