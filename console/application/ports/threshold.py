"""KeyGenerationPort and ThresholdSigner: the protocols of one signature kind."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from console.domain.values import CeremonyPurpose, SignatureKind
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.repair import RepairParameters
from console.protocols.keygen.reshare import ReshareParameters
from console.protocols.keygen.share import KeyShare, PublicKeyPackage


class SignatureInvalid(Exception):
    """A signature does not verify under the key."""


class KeyPathRefused(Exception):
    """A key path is malformed, or cannot be derived from shares."""


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """One member's part of one key in one epoch.

    `setup` is what the kind's protocol stores beside the share, encoded: the pair states of
    DKLs23; None for kinds without such state.
    """

    share: KeyShare
    setup: SecretBytes | None = None

    def wipe(self) -> None:
        """Erase all its secrets."""
        self.share.wipe()
        if self.setup is not None:
            self.setup.wipe()


@dataclass(frozen=True, slots=True)
class KeygenOutput:
    """A ceremony's result for one key; all parties have the same `public` and 32-byte `transcript`.

    `held` is None at a party that holds no share afterwards.
    """

    public: PublicKeyPackage
    held: KeyMaterial | None
    transcript: bytes


class KeyGenerationPort(Protocol):
    """Generates group keys of one kind, and changes their shares.

    Every change ends in a new epoch: shares of two epochs never sign together. `context` names the
    wallet, the key and the new epoch. All raise ProtocolAbort. The result is pending until the
    ceremony's certificate is complete.
    """

    kind: SignatureKind

    def ceremony_rounds(self, purpose: CeremonyPurpose) -> tuple[str, ...]:
        """Return the names of a ceremony's rounds, for people, in order."""
        ...

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenOutput:
        """Generate a key of which no party ever holds more than a share."""
        ...

    async def refresh(
        self, party: Party, share: KeyShare, context: bytes, random: Random
    ) -> KeygenOutput:
        """Generate new shares for the same owners; all of them take part."""
        ...

    async def repair(
        self, party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Restore a lost share, then refresh all; `share` is None at the member that lost it.

        All owners take part. The caller still owns `share`.
        """
        ...

    async def reshare(
        self, party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Generate shares for the next quorum; `share` is this member's old one if it deals."""
        ...


class ThresholdSigner(Protocol):
    """Signs with keys of one kind.

    A key path is "m", "m/0/5" for a child by unhardened steps, or "tr(m/0/5)" for the Taproot
    output key of a child without scripts (BIP 341, BIP 86); kinds refuse what they cannot derive.
    """

    kind: SignatureKind
    signing_rounds: tuple[str, ...]
    release_round: int
    """The round whose messages consume the nonces; it is recorded before they leave."""
    message_size: int | None
    """A message's length in bytes: 32 for digests, None for any length."""

    async def sign(
        self, party: Party, held: KeyMaterial, path: str, message: bytes, random: Random
    ) -> bytes:
        """Sign with the parties of the session, exactly the threshold. Does not wipe `held`.

        Raises: ProtocolAbort, KeyPathRefused.
        """
        ...

    def public_key(self, public: PublicKeyPackage, path: str) -> bytes:
        """Return the public key that signatures at `path` verify under. Raises: KeyPathRefused."""
        ...

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Check a signature strictly. Raises: SignatureInvalid."""
        ...

    def without_peers(self, held: KeyMaterial, peers: Collection[int]) -> KeyMaterial | None:
        """Return the material without the pair states of banned peers, None if nothing changes.

        The caller stores it before it sends any other message, and owns both.
        """
        ...


class ThresholdScheme(KeyGenerationPort, ThresholdSigner, Protocol):
    """Both halves of one kind."""
