"""A view: a snapshot that a window may keep."""

import msgspec


class View(msgspec.Struct, frozen=True):
    """A snapshot; it never changes, a newer one replaces it."""
