"""The steps of a FROST signature: package, share, share check and aggregate (RFC 9591, 5.2-5.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Self

from console.protocols.frost.nonces import Commitment, SigningNonces
from console.protocols.frost.suite import InvalidSignature, Suite
from console.protocols.kernel.abort import Accusations, freeze
from console.protocols.kernel.wire import Size, message
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.polynomial import BadIndices, check_indices, lagrange


class PackageMismatch(Exception):
    """Signers and commitments are malformed, not for this key, or alter our commitment.

    `signers` are those whose commitment is not a valid point.
    """

    def __init__(self, reason: str, signers: frozenset[int] = frozenset()) -> None:
        super().__init__(reason)
        self.signers = signers


class ShareInvalid(Exception):
    """A signature share does not fit its signer's commitment and public share."""


@message("frost.signature-share")
@dataclass(frozen=True, slots=True)
class SignatureShare:
    """Round 2: z_i, a scalar."""

    z: Annotated[bytes, Size(1, 64)]


@dataclass(frozen=True, slots=True)
class SigningPackage:
    """One message, its signers and their commitments, checked and bound; made by `bind` only.

    `commitments` holds (index, commitment), ascending. `shares` maps each signer to
    D + rho * E, whose sum is `R`; `factors` to rho; `challenge` is c. `negate_key` and
    `negate_nonces` are what the suite's rule of signs demands of every signer.
    """

    suite: Suite
    public: PublicKeyPackage
    message: bytes
    commitments: tuple[tuple[int, Commitment], ...]
    shares: Mapping[int, Point]
    factors: Mapping[int, Scalar]
    R: Point
    challenge: Scalar
    negate_key: bool
    negate_nonces: bool

    @classmethod
    def bind(
        cls,
        suite: Suite,
        public: PublicKeyPackage,
        message: bytes,
        commitments: Sequence[tuple[int, Commitment]],
    ) -> Self:
        """Check the signers and compute what binds them (RFC 9591, sections 4.4-4.6).

        Raises: PackageMismatch if signers are unsorted, repeated, unknown or fewer than the
        threshold, or a commitment, or their sum, is not a valid point other than the identity.
        """
        rows = tuple(commitments)
        _check_signers(suite, public, tuple(index for index, _ in rows))
        points = _parse_commitments(suite, rows)
        group = suite.group
        Y = Point(public.group_key)
        negate_key = suite.negates(Y)
        if negate_key:  # before anything is hashed: binding factors cover the key as it is used
            Y = group.negate(Y)
        inputs = binding_factor_inputs(suite, Y, message, rows)
        factors = {i: suite.H1(data) for i, data in inputs.items()}
        shares = {
            i: group.add_multiple(D, group.public_int(factors[i]), E)
            for i, (D, E) in points.items()
        }
        R = group.sum(shares.values())
        if group.identity == R:
            raise PackageMismatch("the group commitment is the identity")
        return cls(
            suite,
            public,
            message,
            rows,
            MappingProxyType(shares),
            MappingProxyType(factors),
            R,
            suite.challenge(R, Y, message),
            negate_key,
            suite.negates(R),
        )

    @property
    def signers(self) -> tuple[int, ...]:
        return tuple(self.shares)


def binding_factor_inputs(
    suite: Suite, group_key: bytes, message: bytes, commitments: Sequence[tuple[int, Commitment]]
) -> dict[int, bytes]:
    """Return the input of H1 for each signer (RFC 9591, section 4.4).

    Covers the key, the message and the whole list: leaving one out would let parallel sessions
    be combined into a forgery (ROS).
    """
    scalar = suite.group.scalar
    rows = (scalar(i) + c.hiding + c.binding for i, c in commitments)
    prefix = group_key + suite.H4(message) + suite.H5(b"".join(rows))
    return {i: prefix + scalar(i) for i, _ in commitments}


def sign_share(share: KeyShare, nonces: SigningNonces, package: SigningPackage) -> SignatureShare:
    """Answer the challenge with this party's share (RFC 9591, section 5.2).

    Wipes `nonces`: a second call raises NonceReused.
    Raises: PackageMismatch, with the nonces unused, if the package is for another key, or our
    commitment is missing or altered.
    """
    if package.public != share.public:
        raise PackageMismatch("the package is for another key")
    if dict(package.commitments).get(share.index) != nonces.commitment:
        raise PackageMismatch("our commitment is missing or altered")
    group = package.suite.group
    d, e = nonces.consume(package.suite)
    x_i = group.secret_scalar(share.secret)
    weight = _weight(package, share.index)
    k = group.add_scalars(d, group.multiply_scalars(e, package.factors[share.index]))
    if package.negate_nonces:
        k = group.negate_scalar(k)
    return SignatureShare(group.add_scalars(k, group.multiply_scalars(group.scalar(weight), x_i)))


def verify_share(package: SigningPackage, index: int, share: SignatureShare) -> None:
    """Check z_i * G == D_i + rho_i * E_i + c * lambda_i * Y_i (RFC 9591, section 5.4).

    Either term is negated where the suite negates the secret behind it.
    Raises: ShareInvalid.
    """
    if index not in package.shares:
        raise ShareInvalid(f"party {index} is not a signer")
    group = package.suite.group
    try:
        z = group.parse_scalar(share.z)
    except BadEncoding:
        raise ShareInvalid(f"the share of signer {index} is malformed") from None
    committed = package.shares[index]
    if package.negate_nonces:
        committed = group.negate(committed)
    Y_i = package.public.public_share(index)
    if group.add_multiple(group.base(z), -_weight(package, index), Y_i) != committed:
        raise ShareInvalid(f"the share of signer {index} does not verify")


def _weight(package: SigningPackage, index: int) -> int:
    """Return c * lambda_i, negated if the key is: what share x_i is multiplied with."""
    group = package.suite.group
    c = group.public_int(package.challenge)
    weight = c * lagrange(index, package.signers, group.order)
    return -weight if package.negate_key else weight


def aggregate(package: SigningPackage, shares: Mapping[int, SignatureShare]) -> bytes:
    """Add the shares up to a signature, and verify it before release (RFC 9591, section 5.3).

    Raises: PackageMismatch; ProtocolAbort BLAME naming every signer whose share is wrong, or
    FREEZE if the signature fails although every share is right.
    """
    if set(shares) != set(package.signers):
        raise PackageMismatch("there must be one share of each signer")
    group = package.suite.group
    try:
        z = group.scalar(0)
        for share in shares.values():
            z = group.add_scalars(z, group.parse_scalar(share.z))
        signature = package.suite.encode(package.R, z)
        package.suite.verify(package.public.group_key, package.message, signature)
    except (BadEncoding, InvalidSignature):
        accusations = Accusations()
        for index in package.signers:
            try:
                verify_share(package, index, shares[index])
            except ShareInvalid:
                accusations.add(index, "signature-share")
        accusations.raise_if_any()
        raise freeze("group-signature", "the signature is wrong although all shares fit") from None
    return signature


def _check_signers(suite: Suite, public: PublicKeyPackage, signers: tuple[int, ...]) -> None:
    if public.group_name != suite.group.name:
        raise PackageMismatch("the key belongs to another group")
    try:
        check_indices(signers, suite.group.order)
    except BadIndices:
        raise PackageMismatch("a signer is repeated or zero") from None
    if list(signers) != sorted(signers) or not set(signers) <= set(public.indices):
        raise PackageMismatch("signers are unsorted or do not belong to the key")
    if len(signers) < public.threshold:
        raise PackageMismatch("there are fewer signers than the threshold")


def _parse_commitments(
    suite: Suite, rows: Sequence[tuple[int, Commitment]]
) -> dict[int, tuple[Point, Point]]:
    parse = suite.group.parse_point
    points: dict[int, tuple[Point, Point]] = {}
    bad = set()
    for index, commitment in rows:
        try:
            points[index] = (parse(commitment.hiding), parse(commitment.binding))
        except BadEncoding:
            bad.add(index)
    if bad:
        raise PackageMismatch("a commitment is not a valid point", frozenset(bad))
    return points
