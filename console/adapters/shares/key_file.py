"""The key file: a member's identity and wrapping keys, sealed under a passphrase.

Argon2id turns the passphrase into an AES-256-GCM key; the header, which names the cost, the
member and the public key, is bound into the seal.
"""

import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from console.application.errors import KeyCheckFailed, WrongPin
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.passphrase import Argon2Cost, passphrase_cipher, require_bounded

KEK_SIZE = 32
MAX_KEY_FILE = 1024
_SCALAR_SIZE = 32
_MAGIC = b"QKF1"
_FIXED = struct.Struct(">4sIII16s12s65sB")


@dataclass(frozen=True, slots=True)
class FileKeys:
    """The opened keys. The identity key is an OpenSSL object, freed when it is dropped."""

    kek: SecretBytes
    identity: ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A key file's header and its sealed keys."""

    cost: Argon2Cost
    salt: bytes
    nonce: bytes
    public_key: bytes
    member: MemberId
    sealed: bytes

    def header(self) -> bytes:
        """Return the bytes before the seal, which the seal binds."""
        name = self.member.encode("ascii")
        cost = self.cost
        return (
            _FIXED.pack(
                _MAGIC,
                cost.memory_kib,
                cost.iterations,
                cost.lanes,
                self.salt,
                self.nonce,
                self.public_key,
                len(name),
            )
            + name
        )

    def encode(self) -> bytes:
        """Encode the file."""
        return self.header() + self.sealed


def parse_key_file(data: bytes, member: MemberId, least_memory_kib: int) -> KeyFile:
    """Decode a key file; its cost is checked before any key is derived. Raises: KeyCheckFailed."""
    if not _FIXED.size < len(data) <= MAX_KEY_FILE:
        raise KeyCheckFailed("the key file has an impossible size")
    magic, memory_kib, iterations, lanes, salt, nonce, point, size = _FIXED.unpack_from(data)
    if magic != _MAGIC:
        raise KeyCheckFailed("the key file has a form that is not known here")
    cost = Argon2Cost(memory_kib, iterations, lanes)
    require_bounded(cost, least_memory_kib, "the key file")
    name = data[_FIXED.size : _FIXED.size + size]
    if name != member.encode("ascii"):
        raise KeyCheckFailed(f"the key file does not belong to the member {member}")
    sealed = data[_FIXED.size + size :]
    if len(sealed) != KEK_SIZE + _SCALAR_SIZE + 16:
        raise KeyCheckFailed("the key file has an impossible size")
    return KeyFile(cost, salt, nonce, point, member, sealed)


def seal_keys(
    member: MemberId,
    cost: Argon2Cost,
    passphrase: SecretBytes,
    kek: SecretBytes,
    salt: bytes,
    nonce: bytes,
) -> KeyFile:
    """Generate an identity key and seal it with `kek`. Salt (16 bytes), nonce (12): random."""
    identity = ec.generate_private_key(ec.SECP256R1())
    scalar = identity.private_numbers().private_value.to_bytes(_SCALAR_SIZE, "big")
    unsealed = KeyFile(cost, salt, nonce, _point(identity), member, b"")
    with SecretBytes(bytearray(kek.reveal()) + scalar) as keys:
        cipher = passphrase_cipher(cost, salt, passphrase)
        sealed = cipher.encrypt(nonce, bytes(keys), unsealed.header())
    return KeyFile(cost, salt, nonce, unsealed.public_key, member, sealed)


def open_keys(file: KeyFile, passphrase: SecretBytes) -> FileKeys:
    """Open the keys. Raises: WrongPin, KeyCheckFailed."""
    cipher = passphrase_cipher(file.cost, file.salt, passphrase)
    try:
        opened = cipher.decrypt(file.nonce, file.sealed, file.header())
    except InvalidTag:
        raise WrongPin("the key file does not open with this passphrase") from None
    with SecretBytes(opened) as view:
        kek = SecretBytes(bytes(view[:KEK_SIZE]))
        identity = ec.derive_private_key(int.from_bytes(view[KEK_SIZE:], "big"), ec.SECP256R1())
    if _point(identity) != file.public_key:
        kek.wipe()
        raise KeyCheckFailed("the key file holds another key than it names")
    return FileKeys(kek, identity)


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
