"""A cipher from a passphrase by Argon2id, with bounds on the cost that a file may ask for."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from console.application.errors import KeyCheckFailed
from console.protocols.kernel.secret import SecretBytes, SecretWiped

MAX_PASSPHRASE = 1024
LEAST_MEMORY_KIB = 256 << 10
SHORTEST_PASSPHRASE = 12
_MOST_KIB = 4 << 20
_MOST_ITERATIONS = 64
_MOST_LANES = 16


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """The cost of one guess at the passphrase."""

    memory_kib: int = LEAST_MEMORY_KIB
    iterations: int = 3
    lanes: int = 4


def require_bounded(cost: Argon2Cost, least_memory_kib: int, file: str) -> None:
    """Check what a file asks for, before any key is derived. Raises: KeyCheckFailed."""
    if not least_memory_kib <= cost.memory_kib <= _MOST_KIB:
        raise KeyCheckFailed(f"{file} asks for an Argon2 memory out of bounds")
    if not 1 <= cost.iterations <= _MOST_ITERATIONS or not 1 <= cost.lanes <= _MOST_LANES:
        raise KeyCheckFailed(f"{file} asks for an Argon2 cost out of bounds")


def passphrase_cipher(cost: Argon2Cost, salt: bytes, passphrase: SecretBytes) -> AESGCM:
    """Return AES-256-GCM under the passphrase's key. Raises: SecretWiped."""
    derivation = Argon2id(
        salt=salt,
        length=32,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    # The library takes `bytes` only; this copy lives as long as the call.
    copied = bytes(passphrase.reveal())
    if passphrase.wiped:  # Meanwhile, by a caller who gave up: zeros must not become a try.
        raise SecretWiped("the secret has been wiped")
    return AESGCM(derivation.derive(copied))
