"""Functions of a module that the PKCS#11 library lacks, or calls with all other threads stopped."""

import ctypes
import os
from pathlib import Path

from console.application.errors import HsmError

_INITIALIZE, _FINALIZE, _INIT_TOKEN, _SESSION_INFO = 0, 1, 9, 15
# States of a session in CK_SESSION_INFO (slot, state, flags, error) in which a user is logged in.
_USER_STATES = {1, 3}
_FUNCTIONS = 68
_ALREADY_INITIALISED = 0x191


class _List(ctypes.Structure):
    """CK_FUNCTION_LIST: a version of two bytes, then functions. Windows packs it."""

    _pack_ = 1 if os.name == "nt" else 0
    _fields_ = (("version", ctypes.c_ubyte * 2), ("calls", ctypes.c_void_p * _FUNCTIONS))


class ModuleFunctions:
    """Called through the module's own list: other threads of this process run meanwhile."""

    def __init__(self, module: Path) -> None:
        listed = ctypes.POINTER(_List)()
        try:
            result = ctypes.CDLL(str(module)).C_GetFunctionList(ctypes.byref(listed))
        except (OSError, AttributeError):
            raise HsmError("the PKCS#11 module does not load") from None
        if result != 0:
            raise HsmError(f"the PKCS#11 module does not load: error 0x{result:x}")
        self._calls = listed.contents.calls

    def restart(self) -> None:
        """Finalise and initialise: this process's sessions and logins end. Raises: HsmError."""
        single = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
        # A module that has lost its token or its daemon may fail to finalise; it starts anew.
        single(self._calls[_FINALIZE])(None)
        result = single(self._calls[_INITIALIZE])(None)
        if result not in {0, _ALREADY_INITIALISED}:
            raise HsmError(f"the PKCS#11 module does not start again: error 0x{result:x}")

    def is_logged_in(self, session: int) -> bool:
        """Return whether a user is logged in, in whose name this session acts. Raises: HsmError."""
        info = (ctypes.c_ulong * 4)()
        call = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_ulong, ctypes.c_void_p)
        result = call(self._calls[_SESSION_INFO])(session, ctypes.byref(info))
        if result != 0:
            raise HsmError(f"the token does not tell a session's state: error 0x{result:x}")
        return info[1] in _USER_STATES

    def init_token(self, slot: int, so_pin: bytes, label: bytes) -> None:
        """Initialise a token; `label` has 32 bytes. Raises: HsmError."""
        call = ctypes.CFUNCTYPE(
            ctypes.c_ulong, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p
        )(self._calls[_INIT_TOKEN])
        result = call(slot, so_pin, len(so_pin), label)
        if result != 0:
            raise HsmError(f"the token cannot be initialised: error 0x{result:x}")
