"""FROST signing as Bitcoin specifies it: one aggregate nonce, BIP 340 signatures, key tweaks.

Compared with RFC 9591 one coefficient b binds all nonces, so that a coordinator can add them up.
The BIP is a draft: what is implemented is the state that `tests/vectors` records. Parties are
numbered from 1 here and from 0 there; every hash sees the BIP's numbers. Library only: the product
signs for Taproot with `frost.taproot`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from console.protocols.derivation.context import TweakContext
from console.protocols.frost import bip340
from console.protocols.frost.bip445_nonces import (
    aggregate_nonces,
    deterministic_nonces,
    serialized_ids,
)
from console.protocols.frost.nonces import Commitment, SigningNonces
from console.protocols.frost.signing import PackageMismatch, ShareInvalid, SignatureShare
from console.protocols.frost.suite import InvalidSignature
from console.protocols.frost.taproot import FROST_TAPROOT
from console.protocols.kernel.abort import Accusations, freeze
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.polynomial import BadIndices, interpolate, lagrange
from console.protocols.math.secp256k1 import SECP256K1
from console.protocols.math.tagged_hash import tagged_hash


@dataclass(frozen=True, slots=True)
class SigningSession:
    """One message, its signers and their aggregate nonce, checked; made by `bind` only.

    `signers` ascend; `b` is the nonce coefficient, `R` the final nonce and `e` the challenge.
    `sign` is what every share of the key is multiplied with: 1 or -1.
    """

    public: PublicKeyPackage
    context: TweakContext
    signers: tuple[int, ...]
    message: bytes
    b: Scalar
    R: Point
    e: Scalar

    @classmethod
    def bind(
        cls,
        public: PublicKeyPackage,
        signers: Sequence[int],
        aggregate_nonce: bytes,
        message: bytes,
        context: TweakContext | None = None,
    ) -> Self:
        """Check the signers and the aggregate nonce, and compute what binds them.

        `context` holds the tweaks, computed by ourselves from path and script tree, never taken
        from a coordinator; None signs for the untweaked key.
        Raises: PackageMismatch, to be blamed on the coordinator if our package is sound.
        """
        group = SECP256K1
        chosen = _checked_signers(public, signers)
        try:
            halves = aggregate_nonce[:33], aggregate_nonce[33:]
            R_1, R_2 = (p if p == group.identity else group.parse_point(p) for p in halves)
        except BadEncoding:
            raise PackageMismatch("the aggregate nonce is malformed") from None
        context = _checked_context(public, context)
        x = group.x_only(context.Q)
        bound = serialized_ids(chosen) + aggregate_nonce + x + message
        b = group.scalar(int.from_bytes(tagged_hash("BIP0445/noncecoef", bound), "big"))
        R = group.add_multiple(Point(R_1), group.public_int(b), Point(R_2))
        if group.identity == R:
            # Only signers who conspire can bring this about, and then they may know the nonce:
            # it is their share that they risk.
            R = group.generator
        e = bip340.challenge(R, context.Q, message)
        return cls(public, context, chosen, message, b, R, e)

    @property
    def sign(self) -> int:
        """The sign that tweaks and BIP 340 together give the key: g * gacc."""
        return self.context.gacc * (1 if SECP256K1.has_even_y(self.context.Q) else -1)

    def weight(self, index: int) -> int:
        """Return e * lambda_i * g * gacc, what share x_i is multiplied with."""
        e = SECP256K1.public_int(self.e)
        return self.sign * e * lagrange(index, self.signers, SECP256K1.order)


def sign_share(share: KeyShare, nonces: SigningNonces, session: SigningSession) -> SignatureShare:
    """Answer the challenge with this party's share (BIP 445, Sign).

    Wipes `nonces`: a second call raises NonceReused.
    Raises: PackageMismatch, with the nonces unused, if the session is not for our share;
    BadEncoding if a nonce or the share is zero or out of range.
    """
    group = SECP256K1
    x_i = group.secret_scalar(share.secret)
    if share.index not in session.signers or session.public != share.public:
        raise PackageMismatch("the session is for another key or other signers")
    if group.base(x_i) != session.public.public_share(share.index):
        raise PackageMismatch("our share does not fit its public share")
    k_1, k_2 = nonces.consume(FROST_TAPROOT)
    k = group.add_scalars(k_1, group.multiply_scalars(session.b, k_2))
    if not group.has_even_y(session.R):
        k = group.negate_scalar(k)
    weight = group.scalar(session.weight(share.index))
    return SignatureShare(group.add_scalars(k, group.multiply_scalars(weight, x_i)))


def verify_share(
    session: SigningSession, index: int, commitment: Commitment, share: SignatureShare
) -> None:
    """Check s_i * G == +-(R_1 + b * R_2) + e * lambda_i * g * gacc * Y_i (PartialSigVerify).

    Proves only that the signer used these nonces: the aggregate must be of the same commitments.
    Raises: ShareInvalid.
    """
    group = SECP256K1
    if index not in session.signers:
        raise ShareInvalid(f"party {index} is not a signer")
    try:
        s = group.parse_scalar(share.z)
        R_1, R_2 = group.parse_point(commitment.hiding), group.parse_point(commitment.binding)
    except BadEncoding:
        raise ShareInvalid(f"the share or nonce of signer {index} is malformed") from None
    committed = group.add_multiple(R_1, group.public_int(session.b), R_2)
    if not group.has_even_y(session.R):
        committed = group.negate(committed)
    Y_i = session.public.public_share(index)
    if group.add_multiple(group.base(s), -session.weight(index), Y_i) != committed:
        raise ShareInvalid(f"the share of signer {index} does not verify")


def aggregate(
    session: SigningSession,
    commitments: Mapping[int, Commitment],
    shares: Mapping[int, SignatureShare],
) -> bytes:
    """Add the shares up to a signature of 64 bytes, and verify it before release (PartialSigAgg).

    Raises: PackageMismatch; ProtocolAbort BLAME naming every signer whose share is wrong, or
    FREEZE if the signature fails although every share is right.
    """
    if not set(shares) == set(commitments) == set(session.signers):
        raise PackageMismatch("there must be one commitment and one share of each signer")
    try:
        signature = combine(session, shares)
        bip340.verify(SECP256K1.x_only(session.context.Q), session.message, signature)
    except (ShareInvalid, InvalidSignature):
        accusations = Accusations()
        for index in session.signers:
            try:
                verify_share(session, index, commitments[index], shares[index])
            except ShareInvalid:
                accusations.add(index, "signature-share")
        accusations.raise_if_any()
        raise freeze("group-signature", "the signature is wrong although all shares fit") from None
    return signature


def combine(session: SigningSession, shares: Mapping[int, SignatureShare]) -> bytes:
    """Add the shares up without verifying: x(R) || sum of s_i + e * g * tacc.

    Raises: PackageMismatch if a share is missing; ShareInvalid if one is malformed.
    """
    if set(shares) != set(session.signers):
        raise PackageMismatch("there must be one share of each signer")
    group = SECP256K1
    s = group.multiply_scalars(session.e, session.context.tacc)
    if not group.has_even_y(session.context.Q):
        s = group.negate_scalar(s)
    for index, share in shares.items():
        try:
            s = group.add_scalars(s, group.parse_scalar(share.z))
        except BadEncoding:
            raise ShareInvalid(f"the share of signer {index} is malformed") from None
    return bip340.encode(session.R, s)


def sign_deterministically(
    share: KeyShare,
    others: bytes | None,
    signers: Sequence[int],
    message: bytes,
    randomness: bytes | None,
    context: TweakContext | None = None,
) -> tuple[Commitment, SignatureShare]:
    """Sign as the last signer, without state between rounds (BIP 445, DeterministicSign).

    `others` is the aggregate nonce of all other signers, None if there are none. At most one
    signer of a session may sign this way.
    Raises: PackageMismatch, to be blamed on the coordinator if our share is sound; BadEncoding.
    """
    chosen = _checked_signers(share.public, signers)
    context = _checked_context(share.public, context)
    rest = [] if others is None else [(0, Commitment(others[:33], others[33:]))]
    aggregate_nonces(rest)  # refused before a nonce depends on it
    nonces = deterministic_nonces(
        randomness,
        secret=share.secret,
        index=share.index,
        signers=chosen,
        others=others or b"",
        key=SECP256K1.x_only(context.Q),
        message=message,
    )
    try:
        total = aggregate_nonces([(share.index, nonces.commitment), *rest])
        session = SigningSession.bind(share.public, chosen, total, message, context)
        return nonces.commitment, sign_share(share, nonces, session)
    finally:
        nonces.wipe()


def _checked_context(public: PublicKeyPackage, context: TweakContext | None) -> TweakContext:
    """Return the tweaks, none by default, after checking that they lead from this key to Q."""
    Y = Point(public.group_key)
    if context is None:
        return TweakContext.of(SECP256K1, Y)
    # A share answers a challenge on Q: it must not do so for a key that we have no part in.
    if context.points((Y,)) != (context.Q,):
        raise PackageMismatch("the tweaks are of another key")
    return context


def _checked_signers(public: PublicKeyPackage, signers: Sequence[int]) -> tuple[int, ...]:
    """Check that the signers are distinct parties of the key, enough, and make up its point."""
    if public.group_name != SECP256K1.name:
        raise PackageMismatch("the key belongs to another group")
    chosen = tuple(sorted(signers))
    if len(chosen) < public.threshold:
        raise PackageMismatch("there are fewer signers than the threshold")
    try:
        points = {i: SECP256K1.parse_point(public.public_share(i)) for i in chosen}
        key = interpolate(SECP256K1, points)
    except (BadIndices, BadEncoding):
        raise PackageMismatch("a signer is unknown, or its public share malformed") from None
    if len(points) != len(chosen):
        raise PackageMismatch("a signer is repeated")
    if key != public.group_key:
        raise PackageMismatch("the public shares do not make the group key")
    return chosen
