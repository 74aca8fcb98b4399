"""The lock file: a random key that only the passphrase and KMS together open.

Argon2id and AES-256-GCM seal the key under the passphrase, and KMS wraps the result. So a stolen
disk allows no guess at the passphrase without a call to KMS, and KMS alone opens nothing. What
KMS wrapped of a share is sealed by that key once more.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidTag

from console.application.errors import KeyCheckFailed, WrongPin
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.passphrase import Argon2Cost, passphrase_cipher, require_bounded
from console.sealing.sealer import NONCE_SIZE, TAG_SIZE, length_prefixed
from hsm.kms.calls import KmsCalls
from hsm.kms.context import context_of

LOCK_FILE = "kms-lock"
LONGEST_LOCK = 2048
KEY_SIZE = 32
_DOMAIN = b"quorate/kms-lock"
_MAGIC = b"QKL1"
_FIXED = struct.Struct(">4sIII16sB")
_SALT = 16
_SEALED = NONCE_SIZE + KEY_SIZE + TAG_SIZE


@dataclass(frozen=True, slots=True)
class LockFile:
    """The cost and salt of the passphrase, and the sealed key as KMS wrapped it."""

    cost: Argon2Cost
    salt: bytes
    member: MemberId
    wrapped: bytes = b""

    def header(self) -> bytes:
        """Return the bytes before the wrapped key, which both seals bind."""
        name, cost = self.member.encode("ascii"), self.cost
        fixed = _FIXED.pack(
            _MAGIC, cost.memory_kib, cost.iterations, cost.lanes, self.salt, len(name)
        )
        return fixed + name

    def encode(self) -> bytes:
        """Encode the file."""
        return self.header() + self.wrapped

    def context(self) -> dict[str, str]:
        """Return the encryption context of the wrapped key."""
        return context_of(self.member, length_prefixed(_DOMAIN, self.header()))


def parse_lock(data: bytes, member: MemberId, least_memory_kib: int) -> LockFile:
    """Decode a lock file; its cost is checked before any key is derived. Raises: KeyCheckFailed."""
    if not _FIXED.size < len(data) <= LONGEST_LOCK:
        raise KeyCheckFailed("the lock file has an impossible size")
    magic, memory_kib, iterations, lanes, salt, size = _FIXED.unpack_from(data)
    if magic != _MAGIC:
        raise KeyCheckFailed("the lock file has a form that is not known here")
    cost = Argon2Cost(memory_kib, iterations, lanes)
    require_bounded(cost, least_memory_kib, "the lock file")
    if data[_FIXED.size : _FIXED.size + size] != member.encode("ascii"):
        raise KeyCheckFailed(f"the lock file does not belong to the member {member}")
    return LockFile(cost, salt, member, data[_FIXED.size + size :])


def make_lock(
    calls: KmsCalls,
    member: MemberId,
    cost: Argon2Cost,
    passphrase: SecretBytes,
    random: Callable[[int], bytes],
) -> LockFile:
    """Make a new lock with a new key. Raises: KmsFault, HsmError."""
    lock = LockFile(cost, random(_SALT), member)
    nonce = random(NONCE_SIZE)
    with SecretBytes(random(KEY_SIZE)) as key:
        # The library takes `bytes` only; this copy lives as long as the call.
        sealed = passphrase_cipher(cost, lock.salt, passphrase).encrypt(
            nonce, bytes(key), lock.header()
        )
    return replace(lock, wrapped=calls.encrypt(lock.context(), nonce + sealed))


def open_lock(calls: KmsCalls, lock: LockFile, passphrase: SecretBytes) -> SecretBytes:
    """Return the key. Raises: WrongPin, KeyCheckFailed, KmsFault, SecretWiped, HsmError."""
    sealed = calls.decrypt(lock.context(), lock.wrapped)
    if sealed is None or len(sealed) != _SEALED:
        raise KeyCheckFailed(
            "AWS KMS does not open the lock file: altered, or made with other keys"
        )
    cipher = passphrase_cipher(lock.cost, lock.salt, passphrase)
    try:
        key = cipher.decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], lock.header())
    except InvalidTag:
        raise WrongPin("the lock file does not open with this passphrase") from None
    return SecretBytes(key)
