"""The anchor part: the ledger's head in two data objects, written alternately.

Data objects cannot be changed in place on every token, so the older one is destroyed and a new
one is created. An interruption leaves the newer of the two readable.
"""

import ctypes
import hashlib
import hmac
import struct
import sys
from dataclasses import dataclass, replace

from pkcs11 import Attribute, ObjectClass
from pkcs11.types import Object, Session

from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor
from hsm.keys import APPLICATION, TokenKeys
from hsm.module import ModuleFunctions
from hsm.token import TokenSession
from hsm.wrapping_methods.objects import find_all, handle_of

HEAD = "quorate-ledger-head"
_FORM = struct.Struct(">4sQQ32s")
_MAGIC = b"QHA1"
_CHECKSUM = 16
_LONGEST = 128
_WORD = ctypes.sizeof(ctypes.c_ulong)


@dataclass(frozen=True, slots=True)
class _Slot:
    handle: int
    turn: int
    head: HeadAnchor
    holder: Object | None = None


class TokenAnchor:
    """Implements `HeadAnchorPort`; needs the vault unlocked, the objects are private."""

    def __init__(self, token: TokenSession) -> None:
        self._token = token
        # What this vault's own session last read or wrote: a search takes a dozen calls.
        self._known: tuple[TokenKeys, list[_Slot]] | None = None

    async def read(self) -> HeadAnchor | None:
        """Return the newest anchor, None if none was written since provisioning."""
        return await self._token.call("reading the ledger's head", self._read)

    async def write(self, head: HeadAnchor) -> None:
        """Replace the anchor and read it back."""
        if head.sequence < 0 or len(head.hash) != 32:
            raise ValueError("an anchor is a sequence and a hash of 32 bytes")
        await self._token.call("writing the ledger's head", lambda: self._write(head))

    def _read(self) -> HeadAnchor | None:
        keys = self._token.keys()
        if keys.record.heads_in_file:
            return self._token.files.read_head(keys)
        self._known = None
        newest = _newest(self._slots(keys))
        return newest.head if newest.turn else None

    def _write(self, head: HeadAnchor) -> None:
        keys = self._token.keys()
        if keys.record.heads_in_file:
            self._token.files.write_head(keys, head)
            return
        slots = self._slots(keys)
        # Whatever fails from here on, the next use searches again.
        self._known = None
        newest = _newest(slots)
        older = [slot for slot in slots if slot is not newest]
        functions = self._token.functions()
        if functions.direct:
            written = _replace(functions, handle_of(keys.session), older, newest.turn + 1, head)
        else:
            for slot in older:
                if slot.holder is not None:
                    slot.holder.destroy()
            written = _decode(create_head(keys.session, newest.turn + 1, head))
        if written is None or written.head != head:
            raise HsmError("the token did not store the ledger's head as it was written")
        self._known = keys, [newest, written]

    def _slots(self, keys: TokenKeys) -> list[_Slot]:
        """Return the readable heads; torn ones are destroyed when a whole one is there."""
        if self._known is not None and self._known[0] is keys:
            return self._known[1]
        readable, torn = [], []
        for holder in find_all(keys.session, ObjectClass.DATA, HEAD):
            slot = _decode(holder)
            if slot is None:
                torn.append(holder)
            else:
                readable.append(slot)
        _newest(readable)
        for holder in torn:
            holder.destroy()
        self._known = keys, readable
        return readable


def create_head(session: Session, turn: int, head: HeadAnchor, *, stored: bool = True) -> Object:
    """Create one data object; turn 0 means that no head was written yet.

    One that is not `stored` vanishes with the session.
    """
    return session.create_object(
        {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.TOKEN: stored,
            Attribute.PRIVATE: True,
            Attribute.LABEL: HEAD,
            Attribute.APPLICATION: APPLICATION,
            Attribute.VALUE: _encode(turn, head),
        }
    )


def is_unwritten(holder: Object) -> bool:
    """Return whether a head object holds no head that a ledger wrote."""
    slot = _decode(holder)
    return slot is None or slot.turn == 0


def is_first(holder: Object) -> bool:
    """Return whether a head object is whole, and as a set-up made it."""
    slot = _decode(holder)
    return slot is not None and slot.turn == 0


def _replace(
    functions: ModuleFunctions, session: int, older: list[_Slot], turn: int, head: HeadAnchor
) -> _Slot | None:
    """Destroy the older heads, create one, and return what is read back: three calls."""
    for slot in older:
        functions.destroy_object(session, slot.handle)
    made = functions.create_object(session, _packed(turn, head))
    return _decoded(made, functions.read_value(session, made, Attribute.VALUE, _LONGEST))


def _packed(turn: int, head: HeadAnchor) -> dict[int, bytes]:
    """Return the template of a stored head, as bytes."""
    return {
        Attribute.CLASS: int(ObjectClass.DATA).to_bytes(_WORD, sys.byteorder),
        Attribute.TOKEN: b"\1",
        Attribute.PRIVATE: b"\1",
        Attribute.LABEL: HEAD.encode(),
        Attribute.APPLICATION: APPLICATION.encode(),
        Attribute.VALUE: _encode(turn, head),
    }


def _encode(turn: int, head: HeadAnchor) -> bytes:
    body = _FORM.pack(_MAGIC, turn, head.sequence, head.hash)
    return body + hashlib.sha256(body).digest()[:_CHECKSUM]


def _newest(slots: list[_Slot]) -> _Slot:
    if not slots:
        # Provisioning created two; none means a damaged or a missing token, not a new ledger.
        raise HsmError("the token holds no readable head of the ledger")
    return max(slots, key=lambda slot: slot.turn)


def _decode(holder: Object) -> _Slot | None:
    slot = _decoded(handle_of(holder), bytes(holder[Attribute.VALUE]))
    return None if slot is None else replace(slot, holder=holder)


def _decoded(handle: int, data: bytes) -> _Slot | None:
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    expected = hashlib.sha256(body).digest()[:_CHECKSUM]
    if len(body) != _FORM.size or not hmac.compare_digest(checksum, expected):
        return None
    magic, turn, sequence, digest = _FORM.unpack(body)
    return _Slot(handle, turn, HeadAnchor(sequence, digest)) if magic == _MAGIC else None
