"""The node's client: the `Console` interface over mutual TLS, for window, CLI and automation."""

from console.client.profiles import Profile, ProfileUnreadable, find_profiles, write_profile
from console.client.remote import connect

__all__ = ["Profile", "ProfileUnreadable", "connect", "find_profiles", "write_profile"]
