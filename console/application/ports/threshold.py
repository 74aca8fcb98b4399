"""KeyGenerationPort and ThresholdSigner: one signature kind's protocols behind one face."""

from typing import Protocol

from console.domain.values import SignatureKind
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen.dkg import KeygenResult
from console.protocols.keygen.share import KeyShare


class SignatureInvalid(Exception):
    """A signature does not verify under the group key."""


class KeyGenerationPort(Protocol):
    """Makes group keys of one kind."""

    kind: SignatureKind
    keygen_rounds: tuple[str, ...]
    """Names of the protocol's rounds, for people."""

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenResult:
        """Run the key generation. Raises: ProtocolAbort."""
        ...


class ThresholdSigner(Protocol):
    """Signs with keys of one kind."""

    kind: SignatureKind
    signing_rounds: tuple[str, ...]
    release_round: int
    """The round whose messages use up the nonces; it is recorded before they leave."""

    async def sign(self, party: Party, share: KeyShare, message: bytes, random: Random) -> bytes:
        """Run the signing with an unsealed share. Raises: ProtocolAbort."""
        ...

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Check a signature strictly. Raises: SignatureInvalid."""
        ...


class ThresholdScheme(KeyGenerationPort, ThresholdSigner, Protocol):
    """Both halves of one kind."""
