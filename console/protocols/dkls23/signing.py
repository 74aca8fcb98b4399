"""The steps of a DKLs23 signature (eprint 2023/765, protocol 3.6).

The checks: (1) commitments open, (2) inputs are consistent, (3) and (4) they are the nonce behind
R_j and the key behind pk_j, (5) the pk_j add up to the key, (6) the nonce is not degenerate. If
(2), (3) or (4) fails, the pair state is destroyed before anything else is sent (docs/spec 3.6).

Deviations from the paper: freshness comes from both sides of each multiplication, (3) and (4) are
one equation with a random weight, and signatures are made under Y' = Y + tweak * G, where the
lowest party adds the tweak.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from console.protocols.dkls23.messages import Commitment, Opening, VoleReply, VoleRequest
from console.protocols.dkls23.pairs import PairStates, ban_all
from console.protocols.dkls23.parameters import SigningParameters, reply_session
from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import XOF, H, Tag
from console.protocols.keygen.share import KeyShare
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.polynomial import lagrange
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import extension, vole
from console.protocols.ot.extension import ChoicesInconsistent, Choosing, Request
from console.protocols.ot.vole import BadReply, InputsInconsistent


@dataclass(frozen=True, slots=True)
class Nonces:
    """What we draw for one signature.

    `r_i` is our part of the nonce, `phi_i` of the mask that the nonce is inverted under; `R_i` is
    r_i * G, and `blind` hides it in its commitment.
    """

    r_i: SecretBytes
    phi_i: SecretBytes
    R_i: Point
    blind: bytes

    @classmethod
    def draw(cls, random: Random) -> "Nonces":
        r_i, phi_i = (SecretBytes(SECP256K1.random_scalar(random)) for _ in range(2))
        return cls(r_i, phi_i, SECP256K1.base(SECP256K1.secret_scalar(r_i)), random(32))

    def wipe(self) -> None:
        self.r_i.wipe()
        self.phi_i.wipe()


@dataclass(frozen=True, slots=True)
class Product:
    """Our halves of both products of one multiplication.

    If the inputs are ours, `u` is c_u, of r_i and the peer's chi, and `v` is c_v, of sk_i and that
    chi; if they are the peer's, `u` is d_u and `v` is d_v, of r_j, sk_j and our chi.
    """

    u: SecretBytes
    v: SecretBytes

    def wipe(self) -> None:
        self.u.wipe()
        self.v.wipe()


def scalar_of(secret: SecretBytes) -> Scalar:
    """Read a secret scalar for one step of arithmetic; a product or a sum may be zero."""
    return Scalar(bytes(secret.view()))


def commitment_digest(
    parameters: SigningParameters, index: int, nonce: bytes, point: bytes, blind: bytes
) -> bytes:
    """Commit to R_i."""
    return H(Tag.DKLS_COMMITMENT, parameters.id, index, nonce, point, blind)


def commitments_digest(session: bytes, commitments: Mapping[int, Commitment]) -> bytes:
    """Hash all commitments of a session."""
    rows = [(i, commitments[i].nonce, commitments[i].digest) for i in sorted(commitments)]
    return H(Tag.DKLS_COMMITMENTS, session, rows)


def accept_requests(
    parameters: SigningParameters,
    pairs: PairStates,
    commitments: Mapping[int, Commitment],
    requests: Mapping[int, VoleRequest],
) -> dict[int, SecretBytes]:
    """Check all requests before any is answered.

    Raises: ProtocolAbort BAN, with the state of every culprit destroyed.
    """
    matrices: dict[int, SecretBytes] = {}
    cheats: dict[int, str] = {}
    for j, message in requests.items():
        session = parameters.vole(j, parameters.me, commitments[j].nonce)
        try:
            matrices[j] = extension.accept(pairs.state(j).chosen_keys, session, message.request)
        except ChoicesInconsistent:
            cheats[j] = "ot-rows"
    if cheats:
        pairs.ban(cheats)
        for matrix in matrices.values():
            matrix.wipe()
        raise ban_all(cheats, "a request does not agree with itself on its choices")
    return matrices


def zero_fragments(
    parameters: SigningParameters, pairs: PairStates, session: bytes
) -> dict[int, Scalar]:
    """Derive what we and each other signer add and subtract in this session."""
    return {
        j: SECP256K1.reduce(
            XOF(Tag.DKLS_ZERO_SHARE, 48, bytes(pairs.state(j).zero_seed.view()), session)
        )
        for j in parameters.parties
        if j != parameters.me
    }


def zero_share(index: int, fragments: Mapping[int, Scalar]) -> Scalar:
    """Return zeta of a party: of each pair, the lower adds the fragment, the higher subtracts."""
    return SECP256K1.sum_scalars(
        value if index < j else SECP256K1.negate_scalar(value) for j, value in fragments.items()
    )


def key_input(
    parameters: SigningParameters, share: KeyShare, fragments: Mapping[int, Scalar]
) -> SecretBytes:
    """Return sk_i, our additive share of the key, blinded afresh; the lowest adds the tweak."""
    group = SECP256K1
    lambda_i = group.scalar(cached_lagrange(parameters.me, parameters.parties))
    sk_i = group.add_scalars(
        group.multiply_scalars(group.secret_scalar(share.secret), lambda_i),
        zero_share(parameters.me, fragments),
    )
    if parameters.me == parameters.tweaking:
        sk_i = group.add_scalars(sk_i, parameters.tweak)
    return SecretBytes(sk_i)


@lru_cache(maxsize=256)
def cached_lagrange(index: int, parties: tuple[int, ...]) -> int:
    """Return lambda_i, the Lagrange coefficient at zero."""
    return lagrange(index, parties, N)


@dataclass(frozen=True, slots=True)
class Asked:
    """A multiplication that `peer` began: its request, the matrix we made of it, its session."""

    peer: int
    request: Request
    matrix: SecretBytes
    session: bytes


def answer_request(
    pairs: PairStates,
    session: bytes,
    asked: Asked,
    random: Random,
    *,
    nonces: Nonces,
    sk_i: SecretBytes,
    chi: Scalar,
) -> tuple[VoleReply, Product]:
    """Multiply r_i and sk_i by the chi of the peer that asked; wipes the matrix of `asked`.

    `chi` is our output of the multiplication with this peer in the other direction. The reply's
    nonce_product is Gamma_u = c_u * G, its key_product Gamma_v = c_v * G, and its difference psi =
    phi_i - chi.
    """
    nonce = random(32)
    message, c_u, c_v = vole.reply(
        pairs.state(asked.peer).chosen_keys,
        pairs.gadget_to(asked.peer),
        reply_session(asked.session, session, nonce, asked.request),
        asked.matrix,
        (scalar_of(nonces.r_i), scalar_of(sk_i)),
        random,
    )
    Gamma_u, Gamma_v = SECP256K1.base(c_u), SECP256K1.base(c_v)
    psi = SECP256K1.add_scalars(scalar_of(nonces.phi_i), SECP256K1.negate_scalar(chi))
    reply = VoleReply(nonce, message, Gamma_u, Gamma_v, psi)
    return reply, Product(SecretBytes(c_u), SecretBytes(c_v))


def check_openings(
    parameters: SigningParameters,
    session: bytes,
    commitments: Mapping[int, Commitment],
    openings: Mapping[int, Opening],
) -> dict[int, tuple[Point, Point]]:
    """Check (1), and return R_j and pk_j of all. Raises: ProtocolAbort BLAME."""
    accusations = Accusations()
    expected = commitments_digest(session, commitments)
    points: dict[int, tuple[Point, Point]] = {}
    for j, opening in openings.items():
        nonce, point = commitments[j].nonce, opening.nonce_point
        if commitment_digest(parameters, j, nonce, point, opening.blind) != commitments[j].digest:
            accusations.add(j, "commitment-opening")
        # The echo has proved that all received the same: a wrong digest is the sender's doing.
        if opening.commitments != expected:
            accusations.add(j, "commitments-digest")
        try:
            parse = SECP256K1.parse_point
            points[j] = (parse(opening.nonce_point), parse(opening.key_point))
        except BadEncoding:
            accusations.add(j, "opening-point")
    accusations.raise_if_any()
    return points


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A reply whose points and scalar are valid."""

    Gamma_u: Point
    Gamma_v: Point
    psi: Scalar


def parse_replies(replies: Mapping[int, VoleReply]) -> dict[int, _Parsed]:
    """Parse before anything secret is used. Raises: ProtocolAbort BLAME."""
    accusations = Accusations()
    parsed: dict[int, _Parsed] = {}
    for j, message in replies.items():
        try:
            parsed[j] = _Parsed(
                SECP256K1.parse_point(message.nonce_product),
                SECP256K1.parse_point(message.key_product),
                SECP256K1.parse_scalar(message.difference),
            )
        except BadEncoding:
            accusations.add(j, "reply-encoding")
    accusations.raise_if_any()
    return parsed


@dataclass(frozen=True, slots=True)
class Begun:
    """A multiplication we began with one peer: our secrets, the request, its session."""

    choosing: Choosing
    request: Request
    session: bytes


def finish_products(
    pairs: PairStates,
    session: bytes,
    begun: Mapping[int, Begun],
    replies: Mapping[int, VoleReply],
    points: Mapping[int, tuple[Point, Point]],
    random: Random,
) -> tuple[dict[int, Product], dict[int, Scalar]]:
    """Check (2), (3) and (4), and return d_u, d_v and psi of each peer.

    Raises: ProtocolAbort BLAME for what is malformed; BAN, with the state of every culprit
    destroyed.
    """
    parsed = parse_replies(replies)
    accusations = Accusations()
    cheats: dict[int, str] = {}
    products: dict[int, Product] = {}
    for j, message in replies.items():
        ours = begun[j]
        weights = pairs.gadget_from(j)
        reply = reply_session(ours.session, session, message.nonce, ours.request)
        try:
            d_u, d_v = vole.finish(ours.choosing, weights, reply, message.reply)
        except BadReply:
            accusations.add(j, "reply-scalar")
            continue
        except InputsInconsistent:
            cheats[j] = "vole-inputs"
            continue
        products[j] = Product(SecretBytes(d_u), SecretBytes(d_v))
        chi = vole.share_of(ours.choosing, weights)
        if not _fits(chi, (d_u, d_v), points[j], parsed[j], random):
            cheats[j] = "vole-points"
    if cheats:
        pairs.ban(cheats)
    if cheats or any(j in accusations for j in replies):
        for product in products.values():
            product.wipe()
    # Bans first: they concern what may have leaked, which a malformed message does not.
    if cheats:
        raise ban_all(cheats, "a reply does not hold one input, or not the one committed to")
    accusations.raise_if_any()
    return products, {j: reply.psi for j, reply in parsed.items()}


def combined(input_: SecretBytes, phi: Scalar, halves: Iterable[SecretBytes]) -> SecretBytes:
    """Return u_i or v_i: our input, r_i or sk_i, times phi, plus our halves of its products."""
    own = SECP256K1.multiply_scalars(scalar_of(input_), phi)
    return SecretBytes(SECP256K1.sum_scalars((own, *map(scalar_of, halves))))


def _fits(
    chi: Scalar,
    d: tuple[Scalar, Scalar],
    points: tuple[Point, Point],
    reply: _Parsed,
    random: Random,
) -> bool:
    """Check chi * (R_j + e * pk_j) == (d_u + e * d_v) * G + Gamma_u + e * Gamma_v, e random.

    Drawn after the message has come, e makes both equations hold but for a chance of 2**-128.
    """
    e = int.from_bytes(random(16), "big")
    R, pk = points
    group = SECP256K1
    left = group.multiply(chi, group.add(R, group.multiply_public(e, pk)), random)
    d_u, d_v = d
    right = group.sum(
        (
            group.base(group.add_scalars(d_u, group.multiply_scalars(d_v, group.scalar(e)))),
            reply.Gamma_u,
            group.multiply_public(e, reply.Gamma_v),
        )
    )
    return left == right
