"""Hardening at start: no core dumps, no debugger."""

import ctypes
import sys

_PR_SET_DUMPABLE = 4


def harden() -> bool:
    """Forbid core dumps and attaching. Return whether the system accepted both."""
    if sys.platform == "win32":
        return False
    agreed = _no_core_dumps()
    if sys.platform == "linux":
        agreed = ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 and agreed
    return agreed


def _no_core_dumps() -> bool:
    if sys.platform == "win32":
        return False
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


if sys.platform != "win32":
    import resource
