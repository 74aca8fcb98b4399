"""The node's client: the `Console` interface over mutual TLS, for window, command line, automation."""

from console.client.profiles import Profile, ProfileUnreadable, find_profiles, write_profile

__all__ = ["Profile", "ProfileUnreadable", "find_profiles", "write_profile"]
