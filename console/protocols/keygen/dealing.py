"""The pure steps of a dealing: what each party contributes to a key, and how others check it."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Field, H, Tag
from console.protocols.keygen import proof
from console.protocols.keygen.messages import Commitment, Opening
from console.protocols.math.feldman import parse_commitment
from console.protocols.math.group import BadEncoding, Group, Point
from console.protocols.math.polynomial import Polynomial


@dataclass(frozen=True, slots=True)
class Dealing:
    """Our polynomial, its commitment and the secrets of its proof; `wipe` erases them."""

    polynomial: Polynomial
    points: tuple[Point, ...]
    proof_nonce: SecretBytes
    proof_point: Point
    chain_code: bytes
    blind: bytes

    def wipe(self) -> None:
        self.polynomial.wipe()
        self.proof_nonce.wipe()


def deal(group: Group, threshold: int, random: Random) -> Dealing:
    """Draw a polynomial of degree threshold - 1, a proof nonce, a chain code part and a blind."""
    polynomial = Polynomial.draw(group, threshold, random)
    nonce = group.random_scalar(random)
    return Dealing(
        polynomial,
        polynomial.commitments(),
        SecretBytes(nonce),
        group.base(nonce),
        random(32),
        random(32),
    )


def commitment_digest(
    parameters: bytes, dealer: int, points: tuple[bytes, ...], R: bytes, cc: bytes, blind: bytes
) -> bytes:
    """Hash of a dealing: fixed before anybody sees another's, so nobody can bias the key."""
    return H(Tag.DKG_COMMITMENT, parameters, dealer, points, R, cc, blind)


def open_dealing(dealing: Dealing, session: bytes, dealer: int) -> Opening:
    """Open the commitment of round 1 and prove knowledge of the constant term."""
    group = dealing.polynomial.group
    mu = proof.respond(
        group,
        Tag.DKG_DEALER_PROOF,
        dealer_statement(session, dealer, dealing.points),
        dealing.proof_point,
        dealing.proof_nonce,
        dealing.polynomial.constant,
    )
    return Opening(
        tuple(dealing.points), dealing.proof_point, mu, dealing.chain_code, dealing.blind
    )


def check_openings(
    group: Group,
    threshold: int,
    parameters: bytes,
    session: bytes,
    commitments: Mapping[int, Commitment],
    openings: Mapping[int, Opening],
) -> dict[int, tuple[Point, ...]]:
    """Check every dealer's opening, commitment length, points and proof of knowledge.

    The proof stops a dealer from choosing its key as a function of the others' (rogue key).
    Raises: ProtocolAbort blaming all dealers that failed.
    """
    accusations = Accusations()
    points: dict[int, tuple[Point, ...]] = {}
    for dealer, opening in sorted(openings.items()):
        digest = commitment_digest(
            parameters,
            dealer,
            opening.points,
            opening.proof_point,
            opening.chain_code,
            opening.blind,
        )
        if digest != commitments[dealer].digest:
            accusations.add(dealer, "commitment-opening")
        if len(opening.points) != threshold:
            accusations.add(dealer, "commitment-length")
            continue
        try:
            points[dealer] = parse_commitment(group, threshold, opening.points)
        except BadEncoding:
            accusations.add(dealer, "commitment-point")
            continue
        try:
            proof.verify(
                group,
                Tag.DKG_DEALER_PROOF,
                dealer_statement(session, dealer, points[dealer]),
                points[dealer][0],
                opening.proof_point,
                opening.proof_scalar,
            )
        except proof.ProofInvalid:
            accusations.add(dealer, "dealer-proof")
    accusations.raise_if_any()
    return points


def dealer_statement(session: bytes, dealer: int, points: tuple[Point, ...]) -> Field:
    """Return what a dealer's proof is bound to: session, dealer and commitments."""
    return (session, dealer, points)
