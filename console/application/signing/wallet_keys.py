"""A wallet's public keys at any path, as chain adapters ask for them."""

from collections.abc import Mapping

from console.application.ports.threshold import KeyPathRefused, ThresholdSigner
from console.domain.errors import NotYetPossible
from console.domain.values import SignatureKind
from console.domain.wallet import Wallet
from console.protocols.keygen.share import PublicKeyPackage, decode_public

MAX_KEPT = 4_096


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
            if len(self._derived) >= MAX_KEPT:
                # Paths come from proposals too: they must not fill the memory.
                self._derived.clear()
            known = self._derived[kind, path] = self._derive(kind, path)
        return known

    def master_key(self, kind: SignatureKind) -> tuple[bytes, bytes]:
        """Return the group's key (33 bytes) and chain code (32 bytes). Raises: NotYetPossible."""
        package = self._package(kind)
        if kind is SignatureKind.EDDSA_ED25519:
            raise NotYetPossible("keys of this kind have no extended form")
        return package.group_key, package.chain_code

    def _derive(self, kind: SignatureKind, path: str) -> bytes:
        scheme = self._schemes.get(kind)
        if scheme is None:
            raise NotYetPossible(f"this node cannot sign with keys of {kind.value}")
        try:
            return scheme.public_key(self._package(kind), path)
        except KeyPathRefused as refused:
            raise NotYetPossible(f"no key of this wallet is at {path[:80]!r}: {refused}") from None

    def _package(self, kind: SignatureKind) -> PublicKeyPackage:
        if kind not in self._packages:
            self._packages[kind] = decode_public(self._wallet.key(kind).package)
        return self._packages[kind]
