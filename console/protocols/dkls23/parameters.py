"""What the signers must agree on before they start, and the names of a session's parts."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.protocols.dkls23.messages import MAX_SIGNERS, Commitment
from console.protocols.dkls23.pairs import PairStates
from console.protocols.kernel.abort import retry
from console.protocols.kernel.party import Party
from console.protocols.kernel.transcript import H, Tag
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.group import Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.ot.extension import Request

PRESIGN = b"presign"


class SigningRefused(Exception):
    """The parties cannot sign with this key and these pair states; nothing has been sent."""


@dataclass(frozen=True, slots=True)
class SigningParameters:
    """One signature to be made: by whom, under which key.

    `id` is known before the first round (docs/spec 3.3); `key` is the group's key with
    `tweak` added.
    """

    id: bytes
    me: int
    parties: tuple[int, ...]
    public: PublicKeyPackage
    tweak: Scalar
    key: Point
    setup_id: bytes

    @property
    def tweaking(self) -> int:
        """The one party that adds the tweak: the lowest."""
        return self.parties[0]

    def session(self, commitments: Mapping[int, Commitment]) -> bytes:
        """Name the session once the randomness of all parties has come."""
        nonces = [(i, commitments[i].nonce) for i in sorted(commitments)]
        return H(Tag.DKLS_SESSION, self.id, nonces)

    def vole(self, receiver: int, sender: int, nonce: bytes) -> bytes:
        """Name a multiplication; `nonce` is the receiver's."""
        return H(Tag.DKLS_VOLE, self.id, receiver, sender, nonce)

    def check(self, commitments: Mapping[int, Commitment]) -> None:
        """Check that all parties have the same parameters. Raises: ProtocolAbort RETRY.

        Before anything else: a commitment made for another message would look like a broken one.
        """
        if any(commitment.parameters != self.id for commitment in commitments.values()):
            raise retry("the parties do not agree on what is signed", check="terms")


def agree(
    party: Party, share: KeyShare, pairs: PairStates, purpose: bytes, tweak: bytes | None
) -> SigningParameters:
    """Check that this party can take part; `purpose` is the digest, or PRESIGN.

    Raises: SigningRefused; PeerBanned; BadEncoding if the tweak is not a scalar.
    """
    public = share.public
    if public.group_name != SECP256K1.name:
        raise SigningRefused("the key belongs to another group")
    if party.me != share.index or party.me != pairs.me:
        raise SigningRefused("the share or the pair states are another party's")
    if not set(party.parties) <= set(public.indices):
        raise SigningRefused("the parties do not belong to the key")
    # More signers than the threshold would be refused by others, who count as well.
    if len(party.parties) != public.threshold or not 2 <= public.threshold <= MAX_SIGNERS:
        raise SigningRefused("the signers must be as many as the threshold, and at least two")
    for peer in party.others:
        pairs.state(peer)
    scalar = SECP256K1.scalar(0) if tweak is None else SECP256K1.parse_scalar(tweak)
    key = SECP256K1.add(Point(public.group_key), SECP256K1.base(scalar))
    if key == SECP256K1.identity:
        raise SigningRefused("the tweak cancels the key")
    id_ = H(
        Tag.DKLS_TERMS,
        party.session_id,
        pairs.setup_id,
        public.group_key,
        public.threshold,
        public.public_shares,
        party.parties,
        key,
        scalar,
        purpose,
    )
    return SigningParameters(id_, party.me, party.parties, public, scalar, key, pairs.setup_id)


def reply_session(vole_session: bytes, session: bytes, nonce: bytes, request: Request) -> bytes:
    """Name the sender's half of a multiplication: fresh on both sides, and bound to the request.

    A replayed request never meets the same pads again.
    """
    return H(
        Tag.DKLS_VOLE_REPLY,
        vole_session,
        session,
        nonce,
        request.correction,
        request.hashed_choice,
        request.hashed_rows,
    )
