"""The ceremony behind refresh and reshare: dealers share what everybody knows the point of.

It is key generation with constant terms that are fixed in advance, so they are not sent: a dealer
whose polynomial has another one fails the check of every share. Whoever deals nothing, or
receives nothing, sends an empty message in every round (docs/spec 6.1 and 6.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from console.protocols.kernel.abort import Accusations, retry
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Field, H, Tag
from console.protocols.keygen import proof
from console.protocols.keygen.complaints import complain, fits
from console.protocols.keygen.messages import (
    Commitment,
    RedealOpening,
    Subshare,
)
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.keygen.share_proof import exchange_proofs
from console.protocols.math.feldman import add_commitments, commitment_at, parse_commitment
from console.protocols.math.group import BadEncoding, Group, Point
from console.protocols.math.polynomial import Polynomial

_NOTHING = RedealOpening((), b"", b"", bytes(32))


@dataclass(frozen=True, slots=True)
class RedealPlan:
    """What all parties agree on: `agreed` is a hash of all that led to it, session included.

    `constants` maps each dealer to the point of its constant term; new shares are for
    `receivers`, and are added to what they have in `base`, which maps them to points.
    """

    agreed: bytes
    old: PublicKeyPackage
    threshold: int
    constants: Mapping[int, Point]
    receivers: tuple[int, ...]
    base: Mapping[int, Point]

    @property
    def group(self) -> Group:
        return self.old.group


@dataclass(frozen=True, slots=True)
class Redealt:
    """The changed key: our share, None if we are no owner any more, and the transcript's hash."""

    share: KeyShare | None
    public: PublicKeyPackage
    transcript: bytes


async def redeal(
    party: Party,
    plan: RedealPlan,
    constant: SecretBytes | None,
    kept: SecretBytes | None,
    random: Random,
) -> Redealt:
    """Deal, check, and prove the new shares.

    `constant` is what we deal, ours to wipe from now on, None if we are no dealer; `kept` is what
    the sum of our shares is added to. Nothing is final before the certificate of the new epoch.
    Raises: ProtocolAbort BLAME naming all who failed a check of the round; RETRY if the outcome
    is degenerate, which chance does not do.
    """
    group = plan.group
    wiped: list[SecretBytes] = []
    nonce = SecretBytes(group.random_scalar(random))
    polynomial = Polynomial(group, [])
    if constant is not None:
        polynomial = Polynomial.through(constant, group, plan.threshold, random)
    try:
        # Rounds 1 and 2.
        dealing = await _deal(party, plan, polynomial, nonce, wiped, random)

        # Round 3: complain about shares that do not fit, which ends the session.
        receives = party.me in plan.receivers
        dealt = dealing.dealt
        received = {i: share for i, share in dealing.shares.items() if receives and i in dealt}
        await complain(party, dealt, plan.receivers, fits(group, dealt), received)

        # Round 4: every owner proves to hold the share that the commitments promise.
        public = public_of(plan, dealt)
        new: KeyShare | None = None
        if receives:
            if constant is not None:
                received[party.me] = polynomial.evaluate(party.me)
                wiped.append(received[party.me])
            new = KeyShare(party.me, sum_of_subshares(group, received, kept), public)
            wiped.append(new.secret)
            new.check()  # before we claim anything about it
        transcript = _transcript(dealing)
        tag = Tag.REDEAL_SHARE_PROOF
        proofs = await exchange_proofs(party, tag, public, plan.receivers, new, transcript, random)
        if new is not None:
            new = KeyShare(party.me, SecretBytes(bytes(new.secret.view())), public)
        return Redealt(new, public, H(Tag.REDEAL_TRANSCRIPT, transcript, proofs))
    finally:
        polynomial.wipe()
        nonce.wipe()
        for item in wiped:
            item.wipe()


@dataclass(frozen=True, slots=True)
class _Dealing:
    """What is known after the dealing; `dealt` holds each dealer's whole commitment."""

    session: bytes
    commitments: Mapping[int, Commitment]
    openings: Mapping[int, RedealOpening]
    shares: Mapping[int, SecretBytes]
    dealt: Mapping[int, tuple[Point, ...]]


async def _deal(
    party: Party,
    plan: RedealPlan,
    polynomial: Polynomial,
    nonce: SecretBytes,
    wiped: list[SecretBytes],
    random: Random,
) -> _Dealing:
    group, deals = plan.group, party.me in plan.constants
    # Round 1: commit, as in key generation, so that nobody aims at the new public shares.
    points = polynomial.commitments()[1:]
    R = group.base(group.secret_scalar(nonce)) if points else b""
    blind = random(32) if deals else bytes(32)
    digest = _digest(plan.agreed, party.me, points, R, blind) if deals else bytes(32)
    ours = Commitment(random(32), digest)
    await party.broadcast(ours)
    commitments = {party.me: ours, **await party.gather(Commitment)}
    nonces = [(i, commitments[i].nonce) for i in sorted(commitments)]
    session = H(Tag.REDEAL_SESSION, plan.agreed, nonces)

    # Round 2: open, and deal.
    mu = b""
    if points:
        statement = (session, party.me, points)
        slope = polynomial.slope
        mu = proof.respond(group, Tag.REDEAL_DEALER_PROOF, statement, Point(R), nonce, slope)
    opening = RedealOpening(points, R, mu, blind)
    await party.broadcast(opening)
    for j in party.others:
        owed = deals and j in plan.receivers
        share = polynomial.evaluate(j) if owed else SecretBytes(b"")
        wiped.append(share)
        await party.send(j, Subshare(share))
    openings = {party.me: opening, **await party.gather(RedealOpening)}
    shares = {i: m.share for i, m in (await party.gather(Subshare)).items()}
    wiped += shares.values()
    dealt = _check_openings(plan, session, commitments, openings)
    return _Dealing(session, commitments, openings, shares, dealt)


def _digest(agreed: bytes, dealer: int, points: tuple[bytes, ...], R: bytes, blind: bytes) -> bytes:
    return H(Tag.REDEAL_COMMITMENT, agreed, dealer, points, R, blind)


def _check_openings(
    plan: RedealPlan,
    session: bytes,
    commitments: Mapping[int, Commitment],
    openings: Mapping[int, RedealOpening],
) -> dict[int, tuple[Point, ...]]:
    """Check all openings and return each dealer's whole commitment, constant term included.

    Raises: ProtocolAbort blaming all that failed.
    """
    group = plan.group
    accusations = Accusations()
    dealt: dict[int, tuple[Point, ...]] = {}
    for i, opening in sorted(openings.items()):
        digest = commitments[i].digest
        if i not in plan.constants:
            if opening != _NOTHING or digest != bytes(32):
                accusations.add(i, "role")
            continue
        if digest != _digest(plan.agreed, i, opening.points, opening.proof_point, opening.blind):
            accusations.add(i, "commitment-opening")
        if len(opening.points) != plan.threshold - 1:
            accusations.add(i, "commitment-length")
            continue
        try:
            points = parse_commitment(group, plan.threshold - 1, opening.points)
        except BadEncoding:
            accusations.add(i, "commitment-point")
            continue
        dealt[i] = (plan.constants[i], *points)
        try:
            _check_proof(group, (session, i, points), points, opening)
        except proof.ProofInvalid:
            accusations.add(i, "dealer-proof")
    accusations.raise_if_any()
    return dealt


def _check_proof(
    group: Group, statement: Field, points: tuple[Point, ...], opening: RedealOpening
) -> None:
    """Check the proof of the first coefficient that was drawn; a constant dealing has none."""
    R, mu = opening.proof_point, opening.proof_scalar
    if points:
        proof.verify(group, Tag.REDEAL_DEALER_PROOF, statement, points[0], R, mu)
    elif R or mu:
        raise proof.ProofInvalid("there is nothing to prove")


def public_of(plan: RedealPlan, dealt: Mapping[int, tuple[Point, ...]]) -> PublicKeyPackage:
    """Return the public package of the new shares. Raises: ProtocolAbort, BadShare."""
    group, old = plan.group, plan.old
    total = add_commitments(group, [dealt[i] for i in sorted(dealt)])
    shares = tuple(
        (j, group.add(plan.base.get(j, group.identity), commitment_at(group, total, j)))
        for j in plan.receivers
    )
    # Nobody could have aimed at these after committing: start again, blame nobody.
    if group.identity in {*total[1:], *(point for _, point in shares)}:
        raise retry("the new key or a share of it came out degenerate", check="degenerate-key")
    public = PublicKeyPackage(group.name, plan.threshold, old.group_key, shares, old.chain_code)
    public.check()  # those who receive nothing sign the certificate too
    return public


def sum_of_subshares(
    group: Group, received: Mapping[int, SecretBytes], kept: SecretBytes | None
) -> SecretBytes:
    """Return the party's new share: what it keeps and what all dealers gave it."""
    total = group.scalar(0) if kept is None else group.secret_scalar(kept)
    for share in received.values():
        total = group.add_scalars(total, group.parse_scalar(share.view()))
    return SecretBytes(total)


def _transcript(dealing: _Dealing) -> bytes:
    """Hash everything broadcast before the last round; there were no complaints."""
    rows: list[Field] = []
    for i, o in sorted(dealing.openings.items()):
        c = dealing.commitments[i]
        opened = (o.points, o.proof_point, o.proof_scalar, o.blind)
        rows.append((i, c.nonce, c.digest, opened))
    return H(Tag.REDEAL_TRANSCRIPT, dealing.session, rows)
