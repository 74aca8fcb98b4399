"""Round one of FROST: nonces that work once, and the commitments to them (RFC 9591, 5.1)."""

from dataclasses import dataclass
from typing import Annotated, NoReturn

from console.protocols.frost.suite import Suite
from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import Size, message
from console.protocols.math.group import Scalar


class NonceReused(Exception):
    """A nonce pair was asked for a second answer, which would reveal the share."""


@message("frost.commitment")
@dataclass(frozen=True, slots=True)
class Commitment:
    """Round 1: the points D (hiding) and E (binding) of a fresh nonce pair."""

    hiding: Annotated[bytes, Size(1, 96)]
    binding: Annotated[bytes, Size(1, 96)]


class SigningNonces:
    """A nonce pair (d, e) for one signature; cannot be copied, stored or used again."""

    __slots__ = ("_binding", "_hiding", "_used", "commitment")

    def __init__(self, hiding: SecretBytes, binding: SecretBytes, commitment: Commitment) -> None:
        self._hiding = hiding
        self._binding = binding
        self._used = False
        self.commitment = commitment

    @property
    def used(self) -> bool:
        return self._used

    @property
    def wiped(self) -> bool:
        """Whether both secrets are erased."""
        return self._hiding.wiped and self._binding.wiped

    def consume(self, suite: Suite) -> tuple[Scalar, Scalar]:
        """Return (d, e) and erase them. Raises: NonceReused on the second call."""
        if self._used:
            raise NonceReused("these signing nonces have been used")
        self._used = True
        with self._hiding as d, self._binding as e:
            return suite.group.parse_nonzero_scalar(d), suite.group.parse_nonzero_scalar(e)

    def wipe(self) -> None:
        """Erase unused nonces; they count as used."""
        self._used = True
        self._hiding.wipe()
        self._binding.wipe()

    def __repr__(self) -> str:
        return f"<SigningNonces {'used' if self._used else 'fresh'}>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise NonceReused("signing nonces are neither copied nor stored")


def generate_nonce(suite: Suite, secret: SecretBytes, randomness: bytes) -> Scalar:
    """Derive a nonce from 32 fresh random bytes and the share (RFC 9591, section 4.1).

    The share hedges a weak random source; the randomness must still be fresh.
    """
    if len(randomness) != 32:
        raise ValueError("a nonce needs 32 random bytes")
    return suite.H3(randomness + bytes(secret.view()))


def commit(suite: Suite, secret: SecretBytes, random: Random) -> tuple[SigningNonces, Commitment]:
    """Make a nonce pair and its commitment; independent of the message (RFC 9591, 5.1)."""
    d = generate_nonce(suite, secret, random(32))
    e = generate_nonce(suite, secret, random(32))
    commitment = Commitment(suite.group.base(d), suite.group.base(e))
    return SigningNonces(SecretBytes(d), SecretBytes(e), commitment), commitment
