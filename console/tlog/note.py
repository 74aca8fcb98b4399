"""Signed notes: a text, and lines of signatures under it. C2SP signed-note.

Members sign with ECDSA on P-256 (type 0x02, as transparency-dev's witness does): SHA-256 of the
text, the signature in DER, the key's id from its SPKI form. Witnesses sign the text after two lines
of their own, so that a signature of either kind is never one of the other.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MAX_NOTE = 1 << 16
"""Bytes of a note that is read."""
MAX_SIGNATURES = 64
_KEY_ID = 4
_DASH = "\u2014 "
_COSIGNED = "quorate/cosignature/v1"
_TIME = 8
_MAX_TIME = (1 << 63) - 1


class NoteInvalid(Exception):
    """A note is not in its form, or is not signed as it has to be."""


class NoteSignature(NamedTuple):
    """A line under a note: the key's name and id (4 bytes), and the signature."""

    name: str
    key_id: bytes
    signature: bytes


class Note(NamedTuple):
    """A text, which ends in a newline, and what is signed under it. Nothing is verified yet."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encoded(self) -> bytes:
        """Return the note as it is stored and sent."""
        lines = [
            f"{_DASH}{name} {base64.b64encode(key_id + signature).decode()}\n"
            for name, key_id, signature in self.signatures
        ]
        return f"{self.text}\n{''.join(lines)}".encode()


class NoteKey(NamedTuple):
    """A key that may sign notes: its name, and a P-256 public key (65 bytes, SEC1)."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The id of the key's own signatures, 4 bytes."""
        spki = _key(self.public).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return hashlib.sha256(spki).digest()[:_KEY_ID]

    @property
    def witness_id(self) -> bytes:
        """The id of the key's cosignatures, 4 bytes: a type of our own."""
        named = self.name.encode() + b"\n\xff" + _COSIGNED.encode()
        return hashlib.sha256(named + self.public).digest()[:_KEY_ID]

    def signed(self, signature: bytes) -> NoteSignature:
        """Return the line for a signature over SHA-256 of the text (64 bytes, r || s)."""
        _require_name(self.name)
        return NoteSignature(self.name, self.key_id, _der(signature))

    def cosigned(self, at_s: int, signature: bytes) -> NoteSignature:
        """Return the line for a signature over `cosigned_message` (64 bytes, r || s)."""
        _require_name(self.name)
        return NoteSignature(self.name, self.witness_id, _time(at_s) + _der(signature))


def cosigned_message(text: str, at_s: int) -> bytes:
    """Return what a witness signs: that it saw this text continue all it saw before, at a time.

    `at_s` are seconds since 1970. The form is C2SP tlog-cosignature's, its first line is ours.
    """
    _time(at_s)
    return f"{_COSIGNED}\ntime {at_s}\n{text}".encode()


def parse_note(data: bytes) -> Note:
    """Read a note; nothing is verified. Raises: NoteInvalid."""
    if len(data) > MAX_NOTE:
        raise NoteInvalid(f"a note has at most {MAX_NOTE} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError:
        raise NoteInvalid("a note is text in UTF-8") from None
    if any(character < " " and character != "\n" for character in whole):
        raise NoteInvalid("a note has no control characters")
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n"):
        raise NoteInvalid("a note is a text, an empty line and lines of signatures")
    signatures = lines[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise NoteInvalid(f"a note has at most {MAX_SIGNATURES} signatures")
    return Note(text + "\n", tuple(map(_signature_in, signatures)))


def require_signed(note: Note, key: NoteKey) -> None:
    """Check that a key signed the text. Raises: NoteInvalid."""
    found = _found(note, key.name, key.key_id)
    if not found:
        raise NoteInvalid(f"{key.name} did not sign this note")
    _verify(key, found[0], note.text.encode())


def witnesses(note: Note, keys: Sequence[NoteKey]) -> Mapping[str, int]:
    """Return which of the keys cosigned the text, with the time of each in seconds since 1970.

    Other signatures are passed over. Raises: NoteInvalid if one by a given key is wrong.
    """
    seen: dict[str, int] = {}
    for key in keys:
        for signature in _found(note, key.name, key.witness_id)[:1]:
            at_s = int.from_bytes(signature[:_TIME], "big")
            if len(signature) <= _TIME or at_s > _MAX_TIME:
                raise NoteInvalid(f"the cosignature of {key.name} has a wrong form")
            _verify(key, signature[_TIME:], cosigned_message(note.text, at_s))
            seen[key.name] = at_s
    return seen


def _signature_in(line: str) -> NoteSignature:
    name, blank, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not blank:
        raise NoteInvalid("a line under a note is no signature")
    _require_name(name)
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("a signature under a note is not base64") from None
    if len(data) <= _KEY_ID or base64.b64encode(data).decode() != encoded:
        raise NoteInvalid("a signature under a note is too short, or has a second spelling")
    return NoteSignature(name, data[:_KEY_ID], data[_KEY_ID:])


def _require_name(name: str) -> None:
    if not name or "+" in name or name.split() != [name]:
        raise NoteInvalid("a key's name has no blanks and no plus")


def _found(note: Note, name: str, key_id: bytes) -> list[bytes]:
    return [s.signature for s in note.signatures if (s.name, s.key_id) == (name, key_id)]


def _verify(key: NoteKey, signature: bytes, message: bytes) -> None:
    try:
        _key(key.public).verify(signature, message, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise NoteInvalid(f"the signature of {key.name} under this note is wrong") from None


def _key(public: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    except ValueError:
        raise NoteInvalid("a note's key is no point of P-256") from None


def _der(signature: bytes) -> bytes:
    if len(signature) != 2 * 32:
        raise ValueError("a signature has 64 bytes")
    return encode_dss_signature(
        int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    )


def _time(at_s: int) -> bytes:
    if not 0 <= at_s <= _MAX_TIME:
        raise ValueError("a time is seconds since 1970, below 2**63")
    return at_s.to_bytes(_TIME, "big")
