"""Threshold ECDSA as protocol runs: a whole signature, or its two halves (docs/spec 3.3, 3.7).

Rounds of a signature: commit and begin the multiplications; open and answer them; add up. The
first two do not depend on the message and make a presignature by themselves.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from console.protocols.dkls23.ecdsa import (
    EcdsaSignature,
    InvalidSignature,
    nonce_coordinate,
    normalise,
    parse_digest,
    verify,
)
from console.protocols.dkls23.fragments import settle
from console.protocols.dkls23.messages import (
    Commitment,
    Opening,
    Partial,
    VoleReply,
    VoleRequest,
)
from console.protocols.dkls23.pairs import PairStates, ban_all
from console.protocols.dkls23.parameters import PRESIGN, SigningParameters, SigningRefused, agree
from console.protocols.dkls23.presignature import Presignature
from console.protocols.dkls23.signing import (
    Asked,
    Begun,
    Nonces,
    Product,
    accept_requests,
    answer_request,
    check_openings,
    combined,
    commitment_digest,
    commitments_digest,
    finish_products,
    key_input,
    scalar_of,
    zero_fragments,
)
from console.protocols.kernel.abort import Accusations, blame, freeze, retry
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import H, Tag
from console.protocols.keygen.share import KeyShare
from console.protocols.math.group import BadEncoding
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import extension, vole


async def sign(
    party: Party,
    share: KeyShare,
    pairs: PairStates,
    digest: bytes,
    random: Random,
    tweak: bytes | None = None,
) -> EcdsaSignature:
    """Sign a digest of 32 bytes together with the session's parties, exactly the threshold.

    The caller has hashed the transaction it displayed itself. `tweak`, a scalar of 32 bytes, is
    added to the key. If the run ends with a ban, `pairs` has changed and must be stored before
    anything is sent.
    Raises: SigningRefused or PeerBanned, with nothing sent; ProtocolAbort BLAME for what the
    culprits signed and anybody can check; BAN after a secret-dependent check; RETRY if the parties
    disagree on the parameters; FREEZE if the result is wrong and no party can be blamed.
    """
    m = parse_digest(digest)
    parameters = agree(party, share, pairs, digest, tweak)
    made = await _make(party, parameters, share, pairs, random)
    try:
        answer = _answer(made, m, H(Tag.DKLS_GROUP_NONCE, made.id, made.point))
        await party.broadcast(answer)
        answers = {party.me: answer, **await party.gather(Partial)}
    finally:
        made.wipe()
    liars = [j for j, partial in answers.items() if partial.binding != answer.binding]
    if liars:
        # The points were broadcast, and all parties proved to have received the same.
        raise blame(liars, "group-nonce", "another nonce than the one that was opened")
    return _combine(made, digest, answers)


async def presign(
    party: Party,
    share: KeyShare,
    pairs: PairStates,
    random: Random,
    tweak: bytes | None = None,
) -> Presignature:
    """Make a presignature for the key with `tweak` added; all of it but one round of a signature.

    Raises: as `sign`.
    """
    parameters = agree(party, share, pairs, PRESIGN, tweak)
    return await _make(party, parameters, share, pairs, random)


async def sign_online(party: Party, presignature: Presignature, digest: bytes) -> EcdsaSignature:
    """Sign with a presignature of the session's parties, in one round. It works once.

    Raises: SigningRefused, with the presignature unused; PresignatureUsed; ProtocolAbort RETRY if
    the parties use different presignatures or digests; BLAME for malformed numbers; FREEZE if the
    signature is wrong. However it ends, the presignature is gone.
    """
    m = parse_digest(digest)
    if party.me != presignature.me or party.parties != presignature.parties:
        raise SigningRefused("the presignature belongs to other parties")
    answer = _answer(
        presignature, m, H(Tag.DKLS_GROUP_NONCE, presignature.id, presignature.point, digest)
    )
    await party.broadcast(answer)
    answers = {party.me: answer, **await party.gather(Partial)}
    if any(partial.binding != answer.binding for partial in answers.values()):
        raise retry("the parties do not agree on presignature and digest", check="terms")
    return _combine(presignature, digest, answers)


async def _make(
    party: Party, parameters: SigningParameters, share: KeyShare, pairs: PairStates, random: Random
) -> Presignature:
    """Rounds 1 and 2, and what of round 3 does not depend on the message."""
    with ExitStack() as dropped:
        begun = await _commit(party, parameters, pairs, dropped, random)
        fragments = zero_fragments(parameters, pairs, begun.session)
        sk_i = key_input(parameters, share, fragments)
        dropped.callback(sk_i.wipe)
        answered = await _multiply(party, parameters, pairs, begun, sk_i, dropped, random)

        # Round 3, without the message: all checks before any answer.
        session, nonces = begun.session, begun.nonces
        points = check_openings(parameters, session, begun.commitments, answered.openings)
        finished, psi = finish_products(
            pairs, session, begun.multiplications, answered.replies, points, random
        )
        for product in finished.values():
            dropped.callback(product.wipe)
        key_points = {j: pk for j, (_, pk) in points.items()}
        if SECP256K1.sum(key_points.values()) != parameters.key:
            await settle(party, parameters, key_points, fragments)
        R = SECP256K1.sum(R_j for R_j, _ in points.values())
        if SECP256K1.identity == R or nonce_coordinate(R) == 0:
            raise retry("the nonce came out degenerate", check="group-nonce")
        products = (*answered.products, *finished.values())
        phi = SECP256K1.sum_scalars((scalar_of(nonces.phi_i), *psi.values()))
        return Presignature(
            id=session,
            me=party.me,
            parties=party.parties,
            setup_id=parameters.setup_id,
            key=parameters.key,
            point=R,
            mask=SecretBytes(bytes(nonces.phi_i.view())),
            denominator=combined(nonces.r_i, phi, (product.u for product in products)),
            product=combined(sk_i, phi, (product.v for product in products)),
        )


@dataclass(frozen=True, slots=True)
class _Committed:
    """What is known after round 1; `multiplications` are those that we began."""

    session: bytes
    nonces: Nonces
    multiplications: Mapping[int, Begun]
    commitments: Mapping[int, Commitment]
    requests: Mapping[int, VoleRequest]


@dataclass(frozen=True, slots=True)
class _Multiplied:
    """What is known after round 2; `products` are our halves where the inputs are ours."""

    products: Sequence[Product]
    openings: Mapping[int, Opening]
    replies: Mapping[int, VoleReply]


async def _commit(
    party: Party,
    parameters: SigningParameters,
    pairs: PairStates,
    dropped: ExitStack,
    random: Random,
) -> _Committed:
    """Round 1: commit to R_i, and begin a multiplication with each peer."""
    nonces = Nonces.draw(random)
    dropped.callback(nonces.wipe)
    nonce = random(32)
    committed = commitment_digest(parameters, party.me, nonce, nonces.R_i, nonces.blind)
    commitment = Commitment(parameters.id, nonce, committed)
    begun = _begin(parameters, pairs, nonce, dropped, random)
    await party.broadcast(commitment)
    for j in party.others:
        await party.send(j, VoleRequest(begun[j].request))
    commitments = {party.me: commitment, **await party.gather(Commitment)}
    requests = await party.gather(VoleRequest)
    parameters.check(commitments)
    _check_bans(party, pairs)
    return _Committed(parameters.session(commitments), nonces, begun, commitments, requests)


async def _multiply(
    party: Party,
    parameters: SigningParameters,
    pairs: PairStates,
    begun: _Committed,
    sk_i: SecretBytes,
    dropped: ExitStack,
    random: Random,
) -> _Multiplied:
    """Round 2: open, and answer the requests of the others with r_i and sk_i."""
    session, nonces, commitments = begun.session, begun.nonces, begun.commitments
    matrices = accept_requests(parameters, pairs, commitments, begun.requests)
    for matrix in matrices.values():
        dropped.callback(matrix.wipe)
    pk_i = SECP256K1.base(SECP256K1.secret_scalar(sk_i))
    opening = Opening(nonces.R_i, nonces.blind, pk_i, commitments_digest(session, commitments))
    await party.broadcast(opening)
    products: list[Product] = []
    for j in party.others:
        chi = vole.share_of(begun.multiplications[j].choosing, pairs.gadget_from(j))
        vole_session = parameters.vole(j, party.me, commitments[j].nonce)
        asked = Asked(j, begun.requests[j].request, matrices[j], vole_session)
        reply, product = answer_request(
            pairs, session, asked, random, nonces=nonces, sk_i=sk_i, chi=chi
        )
        dropped.callback(product.wipe)
        products.append(product)
        await party.send(j, reply)
    openings = {party.me: opening, **await party.gather(Opening)}
    replies = await party.gather(VoleReply)
    _check_bans(party, pairs)
    return _Multiplied(products, openings, replies)


def _begin(
    parameters: SigningParameters,
    pairs: PairStates,
    nonce: bytes,
    dropped: ExitStack,
    random: Random,
) -> dict[int, Begun]:
    begun: dict[int, Begun] = {}
    for j in parameters.parties:
        if j != parameters.me:
            session = parameters.vole(parameters.me, j, nonce)
            choosing, request = extension.request(pairs.state(j).both_keys, session, random)
            dropped.callback(choosing.wipe)
            begun[j] = Begun(choosing, request, session)
    return begun


def _check_bans(party: Party, pairs: PairStates) -> None:
    """Raise BAN if another session has banned one of the peers meanwhile."""
    banned = pairs.banned & set(party.others)
    if banned:
        raise ban_all(dict.fromkeys(banned, "banned"), "the peer was banned in another session")


def _answer(made: Presignature, m: int, binding: bytes) -> Partial:
    """Return w_i = m * phi_i + r * v_i, and u_i; uses the presignature up."""
    phi_i, u_i, v_i = made.consume()
    r = SECP256K1.scalar(nonce_coordinate(made.point))
    w_i = SECP256K1.add_scalars(
        SECP256K1.multiply_scalars(phi_i, SECP256K1.scalar(m)),
        SECP256K1.multiply_scalars(v_i, r),
    )
    return Partial(w_i, u_i, binding)


def _combine(made: Presignature, digest: bytes, answers: Mapping[int, Partial]) -> EcdsaSignature:
    """Divide the sums, and verify before release.

    Raises: ProtocolAbort BLAME for malformed numbers; FREEZE: a wrong answer cannot be attributed.
    """
    accusations = Accusations()
    w = u = 0
    for j, partial in answers.items():
        try:
            w += SECP256K1.public_int(SECP256K1.parse_scalar(partial.numerator))
            u += SECP256K1.public_int(SECP256K1.parse_scalar(partial.denominator))
        except BadEncoding:
            accusations.add(j, "partial-encoding")
    accusations.raise_if_any()
    # By Fermat: a sum of zero, which has no inverse, gives s = 0, which is refused.
    inverse = pow(u, N - 2, N)
    try:
        signature = normalise(made.point, w * inverse)
        verify(made.key, digest, signature)
    except InvalidSignature:
        raise freeze(
            "group-signature", "the signature is wrong, and no party can be blamed"
        ) from None
    return signature
