"""Preferences, about, licences."""
