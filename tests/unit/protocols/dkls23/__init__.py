"""Threshold ECDSA by DKLs23."""
