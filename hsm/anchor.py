"""The anchor part: the ledger's head in two data objects, written alternately.

Data objects cannot be changed in place on every token, so the older one is destroyed and a new
one is created. An interruption leaves the newer of the two readable.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass

from pkcs11 import Attribute, ObjectClass
from pkcs11.types import Object, Session

from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor
from hsm.keys import APPLICATION
from hsm.token import TokenSession

HEAD = "quorate-ledger-head"
_FORM = struct.Struct(">4sQQ32s")
_MAGIC = b"QHA1"
_CHECKSUM = 16


@dataclass(frozen=True, slots=True)
class _Slot:
    holder: Object
    turn: int
    head: HeadAnchor


class TokenAnchor:
    """Implements `HeadAnchorPort`; needs the vault unlocked, the objects are private."""

    def __init__(self, token: TokenSession) -> None:
        self._token = token

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
        newest = _newest(_slots(keys.session)[0])
        return newest.head if newest.turn else None

    def _write(self, head: HeadAnchor) -> None:
        keys = self._token.keys()
        if keys.record.heads_in_file:
            self._token.files.write_head(keys, head)
            return
        session = keys.session
        readable, torn = _slots(session)
        newest = _newest(readable)
        for holder in torn:
            holder.destroy()
        for slot in readable:
            if slot is not newest:
                slot.holder.destroy()
        made = create_head(session, newest.turn + 1, head)
        written = _decode(made)
        if written is None or written.head != head:
            raise HsmError("the token did not store the ledger's head as it was written")


def create_head(session: Session, turn: int, head: HeadAnchor, *, stored: bool = True) -> Object:
    """Create one data object; turn 0 means that no head was written yet.

    One that is not `stored` vanishes with the session.
    """
    body = _FORM.pack(_MAGIC, turn, head.sequence, head.hash)
    return session.create_object(
        {
            Attribute.CLASS: ObjectClass.DATA,
            Attribute.TOKEN: stored,
            Attribute.PRIVATE: True,
            Attribute.LABEL: HEAD,
            Attribute.APPLICATION: APPLICATION,
            Attribute.VALUE: body + hashlib.sha256(body).digest()[:_CHECKSUM],
        }
    )


def is_unwritten(holder: Object) -> bool:
    """Return whether a head object holds no head that a ledger wrote."""
    slot = _decode(holder)
    return slot is None or slot.turn == 0


def _slots(session: Session) -> tuple[list[_Slot], list[Object]]:
    readable, torn = [], []
    for holder in session.get_objects({Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: HEAD}):
        slot = _decode(holder)
        if slot is None:
            torn.append(holder)
        else:
            readable.append(slot)
    return readable, torn


def _newest(slots: list[_Slot]) -> _Slot:
    if not slots:
        # Provisioning created two; none means a damaged or a missing token, not a new ledger.
        raise HsmError("the token holds no readable head of the ledger")
    return max(slots, key=lambda slot: slot.turn)


def _decode(holder: Object) -> _Slot | None:
    data = bytes(holder[Attribute.VALUE])
    body, checksum = data[:-_CHECKSUM], data[-_CHECKSUM:]
    expected = hashlib.sha256(body).digest()[:_CHECKSUM]
    if len(body) != _FORM.size or not hmac.compare_digest(checksum, expected):
        return None
    magic, turn, sequence, digest = _FORM.unpack(body)
    return _Slot(holder, turn, HeadAnchor(sequence, digest)) if magic == _MAGIC else None
