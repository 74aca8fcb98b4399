"""The messages of key generation and of changes to a key (docs/spec 1.2 and 6).

Points and scalars are bounded here and parsed in the protocol, where the group is known.
"""

from dataclasses import dataclass
from typing import Annotated

from console.protocols.kernel.evidence import Told
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import Count, Delivery, PartyIndex, Size, message

MAX_DEALERS = 256

EncodedPoint = Annotated[bytes, Size(0, 96)]
EncodedScalar = Annotated[bytes, Size(0, 64)]


@message("dkg.commitment")
@dataclass(frozen=True, slots=True)
class Commitment:
    """Round 1: fresh randomness for the session, and a hash of what round 2 opens."""

    nonce: Annotated[bytes, Size(32)]
    digest: Annotated[bytes, Size(32)]


@message("dkg.opening")
@dataclass(frozen=True, slots=True)
class Opening:
    """Round 2: Feldman commitment, proof of the constant term (R, mu), chain code part, blind."""

    points: Annotated[tuple[EncodedPoint, ...], Count(0, MAX_DEALERS)]
    proof_point: EncodedPoint
    proof_scalar: EncodedScalar
    chain_code: Annotated[bytes, Size(32)]
    blind: Annotated[bytes, Size(32)]


@message("dkg.subshare", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Subshare:
    """Round 2, to one party: f_i(j)."""

    share: Annotated[SecretBytes, Size(0, 64)]


@dataclass(frozen=True, slots=True)
class Complaint:
    """A dealer whose share does not fit, and the message in which it told us that share."""

    dealer: PartyIndex
    told: Told


@message("dkg.complaints")
@dataclass(frozen=True, slots=True)
class Complaints:
    """Round 3: complaints by ascending dealer; none if all shares fit."""

    complaints: Annotated[tuple[Complaint, ...], Count(0, MAX_DEALERS)]


@message("dkg.share-proof")
@dataclass(frozen=True, slots=True)
class ShareProof:
    """Last round: proof of knowledge of our final share (R, mu)."""

    proof_point: EncodedPoint
    proof_scalar: EncodedScalar


@message("redeal.opening")
@dataclass(frozen=True, slots=True)
class RedealOpening:
    """Refresh and reshare, round 2: all coefficients but the constant, proof of the first, blind.

    A party that deals nothing leaves everything empty, and the blind zero.
    """

    points: Annotated[tuple[EncodedPoint, ...], Count(0, MAX_DEALERS)]
    proof_point: EncodedPoint
    proof_scalar: EncodedScalar
    blind: Annotated[bytes, Size(32)]


@message("repair.split")
@dataclass(frozen=True, slots=True)
class Split:
    """Repair, round 1: D_ih for each helper h, ascending; empty from the repaired party."""

    points: Annotated[tuple[EncodedPoint, ...], Count(0, MAX_DEALERS)]


@message("repair.sum", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class SplitSum:
    """Repair, last round but one: sigma_h for the repaired party; empty for all others."""

    share: Annotated[SecretBytes, Size(0, 64)]
