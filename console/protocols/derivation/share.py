"""Derivation applied to a key as its owners hold it: every share moves, no message is sent."""

from collections.abc import Callable, Iterable

from console.protocols.derivation import bip32, ed25519
from console.protocols.derivation.context import DegenerateTweak, TweakContext
from console.protocols.derivation.path import check_path
from console.protocols.derivation.taproot import tap_tweak_scalar
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1

CHILDREN: dict[str, Callable[[Point, bytes, int], tuple[Scalar, bytes]]] = {
    SECP256K1.name: bip32.child,
    ED25519.name: ed25519.child,
}


def derive(share: KeyShare, path: Iterable[int]) -> KeyShare:
    """Return our share of the child key at `path`; the caller owns, and wipes, both shares.

    With any t of the others' it makes signatures under the child. A child's whole secret, should
    it ever leak, reveals the parent's to whoever knows the chain code: children are not exported.
    Raises: PathRefused; DegenerateTweak.
    """
    context, chain_code = _walk(share.public, path)
    return moved(share, context, chain_code)


def derive_public(public: PublicKeyPackage, path: Iterable[int]) -> PublicKeyPackage:
    """Return the public package of the child at `path`. Raises: PathRefused; DegenerateTweak."""
    context, chain_code = _walk(public, path)
    return moved_public(public, context, chain_code)


def tweak_context(public: PublicKeyPackage, path: Iterable[int]) -> TweakContext:
    """Return the child key at `path` as a sum of tweaks, which a protocol may apply as it signs.

    Raises: PathRefused; DegenerateTweak.
    """
    return _walk(public, path)[0]


def tap_tweak(share: KeyShare, merkle_root: bytes | None) -> KeyShare:
    """Return our share of the Taproot output key (BIP 341); None for a key without scripts.

    Raises: DegenerateTweak; ValueError if the key is not of secp256k1, or the root not 32 bytes.
    """
    return moved(share, _tapped(share.public, merkle_root), share.public.chain_code)


def tap_tweak_public(public: PublicKeyPackage, merkle_root: bytes | None) -> PublicKeyPackage:
    """Return the public package of the Taproot output key. Raises: as `tap_tweak`."""
    return moved_public(public, _tapped(public, merkle_root), public.chain_code)


def _walk(public: PublicKeyPackage, path: Iterable[int]) -> tuple[TweakContext, bytes]:
    context = TweakContext.of(public.group, Point(public.group_key))
    chain_code = public.chain_code
    child = CHILDREN[public.group_name]
    for index in check_path(path):
        tweak, chain_code = child(context.Q, chain_code, index)
        context = context.apply(tweak)
    return context, chain_code


def _tapped(public: PublicKeyPackage, merkle_root: bytes | None) -> TweakContext:
    if public.group_name != SECP256K1.name:
        raise ValueError("only a key of secp256k1 has a Taproot output key")
    P = Point(public.group_key)
    return TweakContext.of(SECP256K1, P).apply_x_only(tap_tweak_scalar(P, merkle_root))


def moved(share: KeyShare, context: TweakContext, chain_code: bytes) -> KeyShare:
    """Return our share of the key that `context` leads to; the caller owns, and wipes, both."""
    public = moved_public(share.public, context, chain_code)
    secret = context.scalar(context.group.secret_scalar(share.secret))
    return KeyShare(share.index, SecretBytes(secret), public)


def moved_public(
    public: PublicKeyPackage, context: TweakContext, chain_code: bytes
) -> PublicKeyPackage:
    """Return the public package of the key that `context` leads to. Raises: DegenerateTweak."""
    points = context.points(tuple(Point(point) for _, point in public.public_shares))
    if context.group.identity in points:
        raise DegenerateTweak("a public share of the tweaked key is the identity")
    return PublicKeyPackage(
        public.group_name,
        public.threshold,
        context.Q,
        tuple(zip(public.indices, points, strict=True)),
        chain_code,
    )
