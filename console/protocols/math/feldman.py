"""Feldman's verifiable secret sharing: shares that can be checked against public commitments."""

from collections.abc import Sequence

from console.protocols.kernel.secret import SecretBytes
from console.protocols.math.group import BadEncoding, Group, Point


class ShareMismatch(Exception):
    """A share is not the point that the dealer committed to."""


def parse_commitment(group: Group, threshold: int, encodings: Sequence[bytes]) -> tuple[Point, ...]:
    """Accept a dealer's commitment: exactly `threshold` points, none of them the identity.

    A longer list would silently raise the threshold, a shorter one lower it.
    Raises: BadEncoding.
    """
    if len(encodings) != threshold:
        raise BadEncoding("the commitment has the wrong length")
    return tuple(group.parse_point(encoding) for encoding in encodings)


def commitment_at(group: Group, commitment: Sequence[Point], x: int) -> Point:
    """Evaluate a commitment at `x`: the public share of that index."""
    total = group.identity
    for point in reversed(commitment):
        total = group.add_multiple(point, x, total)
    return total


def add_commitments(group: Group, commitments: Sequence[Sequence[Point]]) -> tuple[Point, ...]:
    """Add commitments of equal length, coefficient by coefficient."""
    return tuple(group.sum(column) for column in zip(*commitments, strict=True))


def verify_share(group: Group, commitment: Sequence[Point], x: int, share: SecretBytes) -> None:
    """Check a share of index `x` against its dealer's commitment.

    Raises: ShareMismatch, also if the share is not a canonical scalar.
    """
    try:
        scalar = group.parse_scalar(share.view())
    except BadEncoding:
        raise ShareMismatch("the share is not a canonical scalar") from None
    if group.base(scalar) != commitment_at(group, commitment, x):
        raise ShareMismatch("the share does not fit the commitment")
