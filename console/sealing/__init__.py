"""Sealed files and the back-off after wrong PINs, shared by both vaults."""
