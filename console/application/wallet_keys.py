"""A wallet's public keys at any path, as chain adapters ask for them."""

from collections.abc import Mapping

from console.application.ports.threshold import KeyPathRefused, ThresholdSigner
from console.domain.errors import NotYetPossible
from console.domain.values import SignatureKind
from console.domain.wallet import Wallet
from console.protocols.keygen.share import PublicKeyPackage, decode_public


class WalletKeys:
    """Implements `PublicKeys` for one wallet in one epoch; what was derived is kept."""

    def __init__(self, wallet: Wallet, schemes: Mapping[SignatureKind, ThresholdSigner]) -> None:
        self._wallet = wallet
        self._schemes = schemes
        self._packages: dict[SignatureKind, PublicKeyPackage] = {}
        self._derived: dict[tuple[SignatureKind, str], bytes] = {}

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        """Return the key that signatures at a path verify under. Raises: NotYetPossible."""
        known = self._derived.get((kind, path))
        if known is None:
            known = self._derived[kind, path] = self._derive(kind, path)
        return known

    def _derive(self, kind: SignatureKind, path: str) -> bytes:
        scheme = self._schemes.get(kind)
        if scheme is None:
            raise NotYetPossible(f"this node cannot sign with keys of {kind.value}")
        if kind not in self._packages:
            self._packages[kind] = decode_public(self._wallet.key(kind).package)
        try:
            return scheme.public_key(self._packages[kind], path)
        except KeyPathRefused as refused:
            raise NotYetPossible(f"no key of this wallet is at {path[:80]!r}: {refused}") from None
