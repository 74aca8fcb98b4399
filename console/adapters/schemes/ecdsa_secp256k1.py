"""ECDSA_SECP256K1: signatures by DKLs23, with pair states set up anew in every epoch."""

from collections.abc import Collection
from contextlib import ExitStack

from console.adapters.schemes import lifecycle
from console.adapters.schemes.key_path import child_key, parse_key_path
from console.adapters.schemes.pair_states import OpenStates
from console.application.ports.threshold import KeygenOutput, KeyMaterial, SignatureInvalid
from console.domain.values import CeremonyPurpose, SignatureKind
from console.protocols.dkls23 import (
    EcdsaSignature,
    InvalidSignature,
    SigningRefused,
    encode_pairs,
    setup,
    sign,
    verify,
)
from console.protocols.kernel.abort import AbortKind, ProtocolAbort, retry
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.transcript import enc
from console.protocols.keygen import (
    KeyShare,
    PublicKeyPackage,
    RepairParameters,
    ReshareParameters,
    encode_public,
)
from console.protocols.math.secp256k1 import SECP256K1

_SETUP = ("Pair up", "Choose", "Transfer", "Try out", "Agree")


class EcdsaSecp256k1:
    """Remembers bans while it exists, so one instance serves all sessions of a node.

    Keys have 33 bytes, compressed. A signature is r and s, 32 bytes each, with s at most half the
    order, and the recovery id in the last of 65. Messages are digests.
    """

    kind = SignatureKind.ECDSA_SECP256K1
    signing_rounds: tuple[str, ...] = ("Commit", "Multiply", "Sign", "Confirm")
    # Round 1 consumes nothing: a hash of the nonce, and requests that each session draws afresh.
    # In round 2 the nonce and the share enter the multiplications, and any reply tells a cheating
    # peer that its request passed: up to one bit of our pair state. A session recorded as started,
    # but not as released, may have leaked that bit by its silence.
    release_round = 2
    message_size: int | None = 32

    def __init__(self) -> None:
        self._states = OpenStates()

    def ceremony_rounds(self, purpose: CeremonyPurpose) -> tuple[str, ...]:
        """Return the rounds of a ceremony; the setup ends in private messages, without an echo."""
        return (*lifecycle.rounds(purpose), *_SETUP)

    async def generate(
        self, party: Party, threshold: int, context: bytes, random: Random
    ) -> KeygenOutput:
        """Generate a key and its pair states. Raises: ProtocolAbort."""
        made = await lifecycle.generate(SECP256K1, party, threshold, context, random)
        return await _set_up(party, made, context, random)

    async def refresh(
        self, party: Party, share: KeyShare, context: bytes, random: Random
    ) -> KeygenOutput:
        """Generate new shares and pair states for the same owners. Raises: ProtocolAbort."""
        made = await lifecycle.refresh(SECP256K1, party, share, context, random)
        return await _set_up(party, made, context, random)

    async def repair(
        self, party: Party, parameters: RepairParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Restore the lost share, refresh all, and set up all pairs. Raises: ProtocolAbort."""
        made = await lifecycle.repair(SECP256K1, party, parameters, share, random)
        return await _set_up(party, made, parameters.context, random)

    async def reshare(
        self, party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
    ) -> KeygenOutput:
        """Generate shares for the next quorum and set up its pairs. Raises: ProtocolAbort."""
        made = await lifecycle.reshare(SECP256K1, party, parameters, share, random)
        return await _set_up(party, made, parameters.context, random)

    async def sign(
        self, party: Party, held: KeyMaterial, path: str, message: bytes, random: Random
    ) -> bytes:
        """Sign a digest of 32 bytes.

        After a BAN the caller stores `without_peers` before it sends any other message.
        Raises: ProtocolAbort (BAN or RETRY before any message if a peer is already banned or
        these parties cannot sign with this key); KeyPathRefused; SealBroken.
        """
        tweak = child_key(held.share.public, parse_key_path(path)).tacc
        with self._states.lent(held) as pairs:
            banned = frozenset(party.others) - (frozenset(pairs.peers) - pairs.banned)
            if banned:
                reason = "a peer was banned; a refresh generates new pair states"
                raise ProtocolAbort(AbortKind.BAN, reason, banned, "banned")
            try:
                made = await sign(party, held.share, pairs, message, random, tweak)
            except SigningRefused as refused:
                raise retry(str(refused), check="signers") from None
        return made.compact + bytes((made.recovery_id,))

    def public_key(self, public: PublicKeyPackage, path: str) -> bytes:
        """Return the key at `path`. Raises: KeyPathRefused."""
        return child_key(public, parse_key_path(path)).Q

    def verify(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Check r, low s, and that the recovery id yields this key. Raises: SignatureInvalid."""
        if len(signature) != 65:
            raise SignatureInvalid("an ECDSA signature has 65 bytes")
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        try:
            verify(public_key, message, EcdsaSignature(r, s, signature[64]))
        except InvalidSignature:
            raise SignatureInvalid("the ECDSA signature does not verify") from None

    def without_peers(self, held: KeyMaterial, peers: Collection[int]) -> KeyMaterial | None:
        """Return the material without the pair states of these peers, None if there are none.

        Raises: SealBroken.
        """
        return self._states.without(held, peers)


async def _set_up(party: Party, made: KeygenOutput, context: bytes, random: Random) -> KeygenOutput:
    """Add pair states to a new key; wipe its share if that fails. Raises: ProtocolAbort.

    All parties of a session take part, so leaving members do too. They keep no pair states, and
    the others keep none with them.
    """
    with ExitStack() as dropped:
        if made.held is not None:
            dropped.callback(made.held.wipe)
        purpose = enc("quorate/ecdsa-setup/v1", context, encode_public(made.public))
        pairs = await setup(party, purpose, random)
        transcript = lifecycle.joined(made.transcript, pairs.setup_id)
        try:
            if made.held is None:
                return KeygenOutput(made.public, None, transcript)
            pairs.keep(made.public.indices)
            held = KeyMaterial(made.held.share, encode_pairs(pairs))
        finally:
            pairs.wipe()
        dropped.pop_all()
        return KeygenOutput(made.public, held, transcript)
