"""A recoverable ECDSA signature as the chain takes it: r, s in the lower half, and a parity bit."""

from dataclasses import dataclass

from coincurve import PublicKey

from console.adapters.chains.ethereum.address import address_of_point
from console.application.errors import TransactionError

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
SIGNATURE_BYTES = 65


@dataclass(frozen=True, slots=True)
class Signature:
    """`r` and `s` from 1, `s` at most half the group's order (EIP-2), `parity` 0 or 1.

    Raises: TransactionError.
    """

    r: int
    s: int
    parity: int

    def __post_init__(self) -> None:
        """Raise TransactionError for what every node refuses."""
        if not 0 < self.r < ORDER or not 0 < self.s < ORDER:
            raise TransactionError("the signature's numbers are out of range")
        if self.s > ORDER // 2:
            raise TransactionError("the signature is the malleable twin (high s) of a proper one")
        if self.parity not in {0, 1}:
            raise TransactionError("the signature's recovery id must be 0 or 1")

    def encode(self) -> bytes:
        """Return r, s and the recovery id: 65 bytes."""
        return self.r.to_bytes(32, "big") + self.s.to_bytes(32, "big") + bytes([self.parity])


def parse_signature(data: bytes) -> Signature:
    """Read r, s and recovery id. Raises: TransactionError."""
    if len(data) != SIGNATURE_BYTES:
        raise TransactionError("a signature has 65 bytes: r, s and the recovery id")
    return Signature(int.from_bytes(data[:32], "big"), int.from_bytes(data[32:64], "big"), data[64])


def recover(digest: bytes, signature: Signature) -> bytes:
    """Return the address whose key signed this 32-byte digest. Raises: TransactionError."""
    try:
        point = PublicKey.from_signature_and_message(signature.encode(), digest, hasher=None)
    except ValueError:
        raise TransactionError("no key made this signature") from None
    return address_of_point(point)
