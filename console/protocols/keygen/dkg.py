"""Distributed key generation: Pedersen's with commitments first (PedPop; docs/spec 1.2).

Rounds: commit; open and deal; complaints; proofs of the final shares. Several keys are made in one
session by running `generate` once per group, each with its own `context`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from console.protocols.kernel.abort import retry
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Field, H, Tag
from console.protocols.keygen.complaints import complain, fits
from console.protocols.keygen.dealing import (
    Dealing,
    check_openings,
    commitment_digest,
    deal,
    open_dealing,
)
from console.protocols.keygen.messages import (
    MAX_DEALERS,
    Commitment,
    Opening,
    Subshare,
)
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.keygen.share_proof import exchange_proofs
from console.protocols.math.feldman import add_commitments, commitment_at
from console.protocols.math.group import Group, Point
from console.protocols.math.polynomial import check_indices


@dataclass(frozen=True, slots=True)
class KeygenParameters:
    """What all parties must agree on before they start.

    `threshold` shares make a signature; `context` says what the key is for (key id, kind,
    policy) and is hashed into everything.
    """

    group: Group
    threshold: int
    context: bytes


@dataclass(frozen=True, slots=True)
class KeygenResult:
    """Our share, and a hash of all broadcasts, 32 bytes: the same at every party."""

    share: KeyShare
    transcript: bytes


async def generate(party: Party, parameters: KeygenParameters, random: Random) -> KeygenResult:
    """Make a key of which nobody ever holds more than a share.

    Nothing is final before all parties have signed the certificate.
    Raises: ProtocolAbort BLAME naming all who failed a check of the round; RETRY if the outcome
    is degenerate, which chance does not do.
    """
    group, threshold = parameters.group, parameters.threshold
    if not 1 <= threshold <= len(party.parties) <= MAX_DEALERS:
        raise ValueError("the threshold must be in 1..n")
    check_indices(party.parties, group.order)
    agreed = _parameters_digest(party, parameters)
    wiped: list[SecretBytes] = []
    dealing = deal(group, threshold, random)
    try:
        # Round 1: commit, so that a rushing party cannot choose its part after seeing ours.
        commitments = await _commit(party, agreed, dealing, random)
        nonces = [(i, commitments[i].nonce) for i in sorted(commitments)]
        session = H(Tag.DKG_SESSION, agreed, nonces)

        # Round 2: open, and deal.
        opening = open_dealing(dealing, session, party.me)
        await party.broadcast(opening)
        for j in party.others:
            await party.send(j, Subshare(_held(wiped, dealing.polynomial.evaluate(j))))
        openings = {party.me: opening, **await party.gather(Opening)}
        received = {i: m.share for i, m in (await party.gather(Subshare)).items()}
        wiped += received.values()
        points = check_openings(group, threshold, agreed, session, commitments, openings)

        # Round 3: complain about shares that do not fit, which ends the session.
        await complain(party, party.parties, party.parties, fits(group, points), received)

        # Round 4: everybody proves to hold the share that the commitments promise.
        received[party.me] = _held(wiped, dealing.polynomial.evaluate(party.me))
        secret = _held(wiped, sum_of_subshares(group, received))
        chain = [(i, openings[i].chain_code) for i in sorted(openings)]
        public = public_of(party, parameters, points, H(Tag.DKG_CHAIN_CODE, session, chain))
        share = KeyShare(party.me, secret, public)
        share.check()  # before we claim anything about it
        transcript = _transcript(session, commitments, openings)
        proofs = await exchange_proofs(
            party, Tag.DKG_SHARE_PROOF, public, party.parties, share, transcript, random
        )
        kept = KeyShare(party.me, SecretBytes(bytes(secret.view())), public)
        return KeygenResult(kept, H(Tag.DKG_TRANSCRIPT, transcript, proofs))
    finally:
        dealing.wipe()
        for item in wiped:
            item.wipe()


async def _commit(
    party: Party, agreed: bytes, dealing: Dealing, random: Random
) -> dict[int, Commitment]:
    digest = commitment_digest(
        agreed,
        party.me,
        dealing.points,
        dealing.proof_point,
        dealing.chain_code,
        dealing.blind,
    )
    ours = Commitment(nonce=random(32), digest=digest)
    await party.broadcast(ours)
    return {party.me: ours, **await party.gather(Commitment)}


def _held(wiped: list[SecretBytes], secret: SecretBytes) -> SecretBytes:
    """Note a secret for erasure at the end of the run."""
    wiped.append(secret)
    return secret


def _parameters_digest(party: Party, parameters: KeygenParameters) -> bytes:
    return H(
        Tag.DKG_PARAMETERS,
        party.session_id,
        parameters.group.name,
        parameters.threshold,
        party.parties,
        parameters.context,
    )


def sum_of_subshares(group: Group, received: Mapping[int, SecretBytes]) -> SecretBytes:
    """Return the party's share: the sum of what all dealers gave it."""
    total = group.scalar(0)
    for share in received.values():
        total = group.add_scalars(total, group.parse_scalar(share.view()))
    return SecretBytes(total)


def public_of(
    party: Party,
    parameters: KeygenParameters,
    points: Mapping[int, tuple[Point, ...]],
    chain_code: bytes,
) -> PublicKeyPackage:
    """Return the public package of the key that these commitments make. Raises: ProtocolAbort."""
    group = parameters.group
    total = add_commitments(group, [points[i] for i in sorted(points)])
    shares = tuple((j, commitment_at(group, total, j)) for j in party.parties)
    # Nobody could have aimed at these after committing: start again, blame nobody.
    if group.identity in {*total, *(point for _, point in shares)}:
        raise retry("the key or a share of it came out degenerate", check="degenerate-key")
    return PublicKeyPackage(group.name, parameters.threshold, total[0], shares, chain_code)


def _transcript(
    session: bytes,
    commitments: Mapping[int, Commitment],
    openings: Mapping[int, Opening],
) -> bytes:
    """Hash everything broadcast before the last round; there were no complaints."""
    dealt: list[Field] = []
    for i in sorted(openings):
        c, o = commitments[i], openings[i]
        dealt.append(
            (
                i,
                c.nonce,
                c.digest,
                o.points,
                o.proof_point,
                o.proof_scalar,
                o.chain_code,
                o.blind,
            )
        )
    return H(Tag.DKG_TRANSCRIPT, session, dealt)
