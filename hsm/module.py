"""Functions of a module that the PKCS#11 library lacks, or calls with all other threads stopped.

Or for which it needs many calls: it reads three lists of attributes of each object that it makes.
"""

import ctypes
import os
from pathlib import Path
from typing import Any

from pkcs11 import exceptions as p11

from console.application.errors import HsmError

_INITIALIZE, _FINALIZE, _INIT_TOKEN, _SESSION_INFO = 0, 1, 9, 15
_CREATE, _DESTROY, _GET_VALUES = 20, 22, 24
# States of a session in CK_SESSION_INFO (slot, state, flags, error) in which a user is logged in.
_USER_STATES = {1, 3}
_FUNCTIONS = 68
_NOT_INITIALISED, _ALREADY_INITIALISED = 0x190, 0x191
_ERRORS = {
    0x30: p11.DeviceError,
    0x31: p11.DeviceMemory,
    0x32: p11.DeviceRemoved,
    0xB0: p11.SessionClosed,
    0xB3: p11.SessionHandleInvalid,
    0xE0: p11.TokenNotPresent,
    0xE2: p11.TokenWriteProtected,
    0x101: p11.UserNotLoggedIn,
}


class _List(ctypes.Structure):
    """CK_FUNCTION_LIST: a version of two bytes, then functions. Windows packs it."""

    _pack_ = 1 if os.name == "nt" else 0
    _fields_ = (("version", ctypes.c_ubyte * 2), ("calls", ctypes.c_void_p * _FUNCTIONS))


class _Attribute(ctypes.Structure):
    _pack_ = 1 if os.name == "nt" else 0
    _fields_ = (
        ("type", ctypes.c_ulong),
        ("value", ctypes.c_void_p),
        ("size", ctypes.c_ulong),
    )


class ModuleFunctions:
    """Called through the module's own list: other threads of this process run meanwhile."""

    def __init__(self, module: Path) -> None:
        lists = [ctypes.POINTER(_List)() for _ in range(2)]
        for listed in lists:
            try:
                result = ctypes.CDLL(str(module)).C_GetFunctionList(ctypes.byref(listed))
            except (OSError, AttributeError):
                raise HsmError("the PKCS#11 module does not load") from None
            if result != 0:
                raise HsmError(f"the PKCS#11 module does not load: error 0x{result:x}")
        one, other = (ctypes.addressof(listed.contents) for listed in lists)
        self._calls = lists[0].contents.calls
        self._direct = one == other

    @property
    def direct(self) -> bool:
        """Whether these functions have the sessions of the Python library's.

        Some modules, as p11-kit's, make another list with another state for each who asks. Then
        only `direct` itself may be used.
        """
        return self._direct

    def restart(self) -> None:
        """Finalise and initialise: this process's sessions and logins end. Raises: HsmError."""
        single = ctypes.CFUNCTYPE(ctypes.c_ulong, ctypes.c_void_p)
        # A module that has lost its token or its daemon may fail to finalise; it starts anew. One
        # that neither ended nor starts anew has its logins still.
        ended = single(self._calls[_FINALIZE])(None) in {0, _NOT_INITIALISED}
        result = single(self._calls[_INITIALIZE])(None)
        if result != 0 and not (ended and result == _ALREADY_INITIALISED):
            raise HsmError(f"the PKCS#11 module does not start again: error 0x{result:x}")

    def create_object(self, session: int, template: dict[int, bytes]) -> int:
        """Create an object; return its handle. Raises: PKCS11Error."""
        listed = (_Attribute * len(template))()
        held = [ctypes.create_string_buffer(value, len(value)) for value in template.values()]
        for at, (kind, buffer) in enumerate(zip(template, held, strict=True)):
            listed[at] = _Attribute(kind, ctypes.addressof(buffer), len(buffer))
        made = ctypes.c_ulong()
        self._call(_CREATE, session, listed, len(template), ctypes.byref(made))
        return made.value

    def read_value(self, session: int, handle: int, kind: int, size: int) -> bytes:
        """Return an attribute of at most `size` bytes in one call. Raises: PKCS11Error."""
        buffer = ctypes.create_string_buffer(size)
        asked = _Attribute(kind, ctypes.addressof(buffer), size)
        self._call(_GET_VALUES, session, handle, ctypes.byref(asked), 1)
        return buffer.raw[: asked.size]

    def destroy_object(self, session: int, handle: int) -> None:
        """Destroy an object. Raises: PKCS11Error."""
        self._call(_DESTROY, session, handle)

    def _call(self, number: int, *arguments: Any) -> None:
        """Call a function; whole numbers are passed as CK_ULONG. Raises: PKCS11Error."""
        given = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in arguments]
        kinds = [ctypes.c_ulong if isinstance(a, int) else ctypes.c_void_p for a in arguments]
        result = ctypes.CFUNCTYPE(ctypes.c_ulong, *kinds)(self._calls[number])(*given)
        if result != 0:
            raise _ERRORS.get(result, p11.FunctionFailed)

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
        if not self.direct:
            raise HsmError("this module cannot initialise tokens here; use their maker's program")
        call = ctypes.CFUNCTYPE(
            ctypes.c_ulong, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p
        )(self._calls[_INIT_TOKEN])
        result = call(slot, so_pin, len(so_pin), label)
        if result != 0:
            raise HsmError(f"the token cannot be initialised: error 0x{result:x}")
