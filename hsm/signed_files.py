"""Key record and ledger head in files, for tokens that keep or show no data objects.

Both are signed by the identity key, so nobody makes one without the token. The promise is weaker
than that of a token's objects: whoever puts back an old copy of the whole directory, head and
ledger together, is not noticed here. Other members' heads still tell.
"""

import struct
from pathlib import Path

from console.application.errors import HsmError, KeyCheckFailed
from console.application.ports.vault import HeadAnchor
from console.sealing.sealed_record import replace_file
from console.sealing.sealer import length_prefixed
from hsm.keys import (
    KeyRecord,
    RecordedKeys,
    SigningKey,
    decode_record,
    is_signed_by,
    sign_checked,
)

RECORD_FILE, HEAD_FILE = "key-record", "ledger-head"
IN_FILES = (
    "the ledger's head is in a file of the member's directory: an old copy of the whole directory, "
    "put back, is not noticed by this node alone"
)
_RECORD_DOMAIN, _HEAD_DOMAIN = b"quorate/key-record-file/1", b"quorate/ledger-head-file/1"
_HEAD = struct.Struct(">QQ32s")
_SIGNATURE = 64
_LONGEST = 1024


class SignedFiles:
    """The two files. Blocking, in the token's thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # The number of the newest head that this process has seen: it never goes back.
        self._seen = 0

    def read_record(self) -> KeyRecord | None:
        """Return the key record, None if there is no file. Raises: KeyCheckFailed, HsmError."""
        data = self._read(RECORD_FILE)
        if data is None:
            return None
        body, signature = data[:-_SIGNATURE], data[-_SIGNATURE:]
        try:
            record = decode_record(body)
        except (struct.error, IndexError, UnicodeError):
            # Its checksum keeps nobody from writing nonsense.
            raise KeyCheckFailed("the file of the key record is damaged") from None
        # The record names its own key; that the token has that key is checked after the login.
        if not is_signed_by(record.identity_point, _record_text(body), signature):
            raise KeyCheckFailed("the file of the key record is not signed by its identity key")
        return record

    def write_record(self, signed: bytes) -> None:
        """Write what `sign_record` returned. Raises: HsmError."""
        self._write(RECORD_FILE, signed)

    def read_head(self, keys: RecordedKeys) -> HeadAnchor | None:
        """Return the ledger's head, None if none was written yet. Raises: HsmError."""
        turn, head = self._head(keys)
        return head if turn else None

    def write_head(self, keys: RecordedKeys, head: HeadAnchor) -> None:
        """Replace the head, one number higher. Raises: HsmError."""
        turn = self._head(keys)[0] + 1
        self.start_head(keys.identity, keys.record, turn, head)
        self._seen = turn

    def start_head(
        self, identity: SigningKey, record: KeyRecord, turn: int, head: HeadAnchor
    ) -> None:
        """Write a head with its number; 0 is that of a set-up. Raises: HsmError."""
        body = _HEAD.pack(turn, head.sequence, head.hash)
        signature = sign_checked(identity, record.identity_point, _head_text(record, body))
        self._write(HEAD_FILE, body + signature)

    def holds_written_head(self) -> bool:
        """Return whether a ledger wrote a head, whoever signed it. Raises: HsmError."""
        data = self._read(HEAD_FILE) or b""
        return len(data) >= _HEAD.size and _HEAD.unpack_from(data)[0] > 0

    def holds_first_head(self, record: KeyRecord) -> bool:
        """Return whether a head is there as a set-up wrote it, signed by this key.

        Raises: HsmError.
        """
        data = self._read(HEAD_FILE) or b""
        body, signature = data[: _HEAD.size], data[_HEAD.size :]
        return (
            len(body) == _HEAD.size
            and _HEAD.unpack(body)[0] == 0
            and is_signed_by(record.identity_point, _head_text(record, body), signature)
        )

    def remove(self) -> None:
        """Remove both files, of a set-up that failed. Raises: HsmError."""
        try:
            for name in (RECORD_FILE, HEAD_FILE):
                (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise HsmError(f"a file of the set-up is not removed: {error.strerror}") from None

    def _head(self, keys: RecordedKeys) -> tuple[int, HeadAnchor]:
        data = self._read(HEAD_FILE)
        if data is None:
            # A set-up wrote one; none means a damaged directory, not a new ledger.
            raise HsmError("the file of the ledger's head is missing")
        body, signature = data[: _HEAD.size], data[_HEAD.size :]
        text = _head_text(keys.record, body)
        if len(body) != _HEAD.size or not is_signed_by(keys.record.identity_point, text, signature):
            raise HsmError("the file of the ledger's head is not signed by this member")
        turn, sequence, digest = _HEAD.unpack(body)
        if turn < self._seen:
            raise HsmError("the file of the ledger's head is older than one seen before")
        self._seen = turn
        return turn, HeadAnchor(sequence, digest)

    def _read(self, name: str) -> bytes | None:
        try:
            with (self._folder / name).open("rb") as stream:
                return stream.read(_LONGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HsmError(f"the file {name} cannot be read: {error.strerror}") from None

    def _write(self, name: str, data: bytes) -> None:
        try:
            replace_file(self._folder / name, data)
        except OSError as error:
            raise HsmError(f"the file {name} cannot be stored: {error.strerror}") from None


def sign_record(identity: SigningKey, record: KeyRecord) -> bytes:
    """Return a key record with the signature of its own identity key. Raises: KeyCheckFailed."""
    body = record.encode()
    return body + sign_checked(identity, record.identity_point, _record_text(body))


def _record_text(body: bytes) -> bytes:
    return length_prefixed(_RECORD_DOMAIN, body)


def _head_text(record: KeyRecord, body: bytes) -> bytes:
    return length_prefixed(_HEAD_DOMAIN, record.member.encode("ascii"), body)
