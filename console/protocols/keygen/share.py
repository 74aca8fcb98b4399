"""A key as its owners hold it: the public package that all share, and one party's secret share."""

import hmac
import itertools
from dataclasses import dataclass
from typing import Annotated

from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import (
    Count,
    MalformedMessage,
    PartyIndex,
    Range,
    Size,
    decode,
    encode,
    message,
)
from console.protocols.math.group import BadEncoding, Group, Point
from console.protocols.math.groups import group_named
from console.protocols.math.polynomial import BadIndices, check_indices, interpolate

MAX_PARTIES = 1024

_MAGIC = b"QKS1"


class BadShare(Exception):
    """A key share or public package is malformed or contradicts itself. Never quotes it."""


@message("keygen.public-share")
@dataclass(frozen=True, slots=True)
class PublicShare:
    """The point Y_i of one party."""

    index: PartyIndex
    point: Annotated[bytes, Size(1, 96)]


@message("keygen.public-key-package")
@dataclass(frozen=True, slots=True)
class _StoredPackage:
    group: Annotated[bytes, Size(1, 20)]
    threshold: Annotated[int, Range(1, MAX_PARTIES)]
    group_key: Annotated[bytes, Size(1, 96)]
    public_shares: Annotated[tuple[PublicShare, ...], Count(1, MAX_PARTIES)]
    chain_code: Annotated[bytes, Size(32)]


@dataclass(frozen=True, slots=True)
class PublicKeyPackage:
    """What everybody may know of a key.

    `public_shares` holds (index, Y_i) sorted by index; `group_key` is Y; `chain_code` has
    32 bytes. Points are in the group's encoding.
    """

    group_name: str
    threshold: int
    group_key: bytes
    public_shares: tuple[tuple[int, bytes], ...]
    chain_code: bytes

    @property
    def group(self) -> Group:
        return group_named(self.group_name)

    @property
    def indices(self) -> tuple[int, ...]:
        return tuple(index for index, _ in self.public_shares)

    def public_share(self, index: int) -> Point:
        """Return Y_i of one party. Raises: BadIndices if the key has no such party."""
        for known, point in self.public_shares:
            if known == index:
                return Point(point)
        raise BadIndices(f"the key has no party {index}")

    def check(self) -> None:
        """Check encodings and order, and that t shares, and no fewer, interpolate to Y.

        Raises: BadShare.
        """
        try:
            group = self.group
            check_indices(self.indices, group.order)
            key = group.parse_point(self.group_key)
            shares = {i: group.parse_point(point) for i, point in self.public_shares}
        except (BadEncoding, BadIndices):
            raise BadShare("the public key package is malformed") from None
        if (
            list(self.indices) != sorted(self.indices)
            or not 1 <= self.threshold <= len(shares)
            or len(self.chain_code) != 32
        ):
            raise BadShare("the public key package is malformed")
        # One subset fixes the polynomial; all other shares, and the key, must lie on it.
        fixed = {i: shares.pop(i) for i in self.indices[: self.threshold]}
        for at, expected in ((0, key), *shares.items()):
            if interpolate(group, fixed, at) != expected:
                raise BadShare("the public shares do not make the group key")
        # One share fewer must not do: the stated threshold is the real one, not above it.
        fixed.popitem()
        if interpolate(group, fixed) == key:
            raise BadShare("fewer shares than the threshold make the group key")


@dataclass(frozen=True, slots=True)
class KeyShare:
    """One party's share x_i of a key, with everything public about it."""

    index: int
    secret: SecretBytes
    public: PublicKeyPackage

    def check(self) -> None:
        """Check the package, and that x_i times the generator is Y_i. Raises: BadShare."""
        self.public.check()
        group = self.public.group
        try:
            expected = self.public.public_share(self.index)
            ours = group.base(group.secret_scalar(self.secret))
        except (BadEncoding, BadIndices):
            raise BadShare("the key share is malformed") from None
        if not hmac.compare_digest(ours, expected):
            raise BadShare("the key share does not fit its public share")

    def wipe(self) -> None:
        """Erase the secret; the share is of no use afterwards."""
        self.secret.wipe()


def encode_public(public: PublicKeyPackage) -> bytes:
    """Encode canonically."""
    return encode(
        _StoredPackage(
            public.group_name.encode("ascii"),
            public.threshold,
            public.group_key,
            tuple(itertools.starmap(PublicShare, public.public_shares)),
            public.chain_code,
        )
    )


def decode_public(data: bytes) -> PublicKeyPackage:
    """Decode and check a package. Raises: BadShare."""
    try:
        stored = decode(_StoredPackage, data)
        public = PublicKeyPackage(
            stored.group.decode("ascii"),
            stored.threshold,
            stored.group_key,
            tuple((share.index, share.point) for share in stored.public_shares),
            stored.chain_code,
        )
    except (MalformedMessage, UnicodeDecodeError):
        raise BadShare("the public key package is malformed") from None
    public.check()
    return public


def encode_share(share: KeyShare) -> SecretBytes:
    """Encode as magic, index (4), secret (length 4), public package; fixed size, never grown."""
    public = encode_public(share.public)
    size = len(share.secret)
    encoded = SecretBytes.zeros(12 + size + len(public))
    view = encoded.view()
    view[:4] = _MAGIC
    view[4:8] = share.index.to_bytes(4, "big")
    view[8:12] = size.to_bytes(4, "big")
    view[12 : 12 + size] = share.secret.view()
    view[12 + size :] = public
    return encoded


def decode_share(encoded: SecretBytes | memoryview) -> KeyShare:
    """Decode and check a share; the caller still owns, and wipes, `encoded`.

    Raises: BadShare.
    """
    view = encoded.view() if isinstance(encoded, SecretBytes) else encoded
    if len(view) < 12 or view[:4] != _MAGIC:
        raise BadShare("this is not a key share")
    index = int.from_bytes(view[4:8], "big")
    size = int.from_bytes(view[8:12], "big")
    public = decode_public(bytes(view[12 + size :]))
    share = KeyShare(index, SecretBytes(bytearray(view[12 : 12 + size])), public)
    try:
        share.check()
    except BadShare:
        share.wipe()
        raise
    return share
