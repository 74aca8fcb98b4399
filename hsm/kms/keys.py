"""The keys of an unlocked KMS vault, and the checks that they are those of the key record."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from pkcs11 import Mechanism

from console.application.errors import KeyCheckFailed
from console.protocols.kernel.secret import SecretBytes
from hsm.keys import KeyRecord, sign_checked
from hsm.kms.calls import KmsCalls

KMS_METHOD = 16
"""The code of this method of sealing in key records and sealed records. Those of tokens are lower.

It never changes.
"""


class KmsIdentity:
    """Implements `SigningKey`: KMS signs, by ECDSA over a digest, and asks for no PIN."""

    def __init__(self, calls: KmsCalls) -> None:
        self._calls = calls

    def sign(self, data: bytes, *, mechanism: Mechanism, pin: str | None = None) -> bytes:
        """Sign a digest of 32 bytes; r || s. Raises: KmsFault, HsmError."""
        if mechanism is not Mechanism.ECDSA or pin is not None:
            raise ValueError("KMS signs by ECDSA and takes no PIN")
        return self._calls.sign(data)


@dataclass(frozen=True, slots=True)
class KmsKeys:
    """The identity key in KMS, the key record, and the open lock file's key."""

    identity: KmsIdentity
    record: KeyRecord
    lock: SecretBytes


def check_value(lock_file: bytes) -> bytes:
    """Return what stands for the lock file in the signed key record, 32 bytes."""
    return hashlib.sha256(b"quorate/kms-lock-file" + lock_file).digest()


def require_recorded(record: KeyRecord, lock_file: bytes) -> None:
    """Check that the lock file is the one of the key record. Raises: KeyCheckFailed."""
    if record.method != KMS_METHOD or not record.heads_in_file:
        raise KeyCheckFailed("the key record is not that of keys in AWS KMS")
    if not hmac.compare_digest(record.kek_check, check_value(lock_file)):
        raise KeyCheckFailed("the lock file is not the one that this member was set up with")


def require_identity(calls: KmsCalls, identity: KmsIdentity, record: KeyRecord) -> None:
    """Check that the identity key in KMS is the recorded one, and signs. Raises: KeyCheckFailed."""
    if calls.public_point() != record.identity_point:
        raise KeyCheckFailed("the identity key in AWS KMS is not the one of the key record")
    sign_checked(identity, record.identity_point, b"quorate/key-check" + secrets.token_bytes(32))
