"""A wallet's keys in one hand, derived like a quorum's: what the tests of adapters sign with."""

import hashlib
import hmac
from dataclasses import dataclass, field

from coincurve import PrivateKey
from solders.keypair import Keypair

from console.application.ports.chain import Payload
from console.domain.errors import NotYetPossible
from console.domain.values import SignatureKind

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CHAIN_CODE = hashlib.sha256(b"chain code").digest()


@dataclass
class SigningKey:
    """Single keys where the product has a quorum's; BIP 32 and BIP 86 written once more."""

    keypair: Keypair = field(default_factory=Keypair)
    secret: PrivateKey = field(default_factory=PrivateKey)

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        """Implements `PublicKeys`."""
        if kind is SignatureKind.EDDSA_ED25519:
            assert path.startswith("m")
            return bytes(self.keypair.pubkey())
        public = self.secret_at(path).public_key.format()
        return public[1:] if kind is SignatureKind.SCHNORR_BIP340 else public

    def master_key(self, kind: SignatureKind) -> tuple[bytes, bytes]:
        """Implements `PublicKeys`."""
        if kind is SignatureKind.EDDSA_ED25519:
            raise NotYetPossible("no extended form")
        return self.secret.public_key.format(), CHAIN_CODE

    def sign(self, payload: Payload) -> bytes:
        """Sign with the key at the payload's path."""
        if payload.kind is SignatureKind.EDDSA_ED25519:
            return bytes(self.keypair.sign_message(payload.message))
        secret = self.secret_at(payload.path)
        if payload.kind is SignatureKind.SCHNORR_BIP340:
            return secret.sign_schnorr(payload.message)
        return secret.sign_recoverable(payload.message, hasher=None)

    def secret_at(self, path: str) -> PrivateKey:
        taproot = path.startswith("tr(")
        steps = (path[3:-1] if taproot else path).split("/")
        assert steps[0] == "m"
        secret, chain_code = self.secret, CHAIN_CODE
        for step in steps[1:]:
            data = secret.public_key.format() + int(step).to_bytes(4, "big")
            digest = hmac.digest(chain_code, data, "sha512")
            secret, chain_code = secret.add(digest[:32]), digest[32:]
        return _tweaked(secret) if taproot else secret


def _tweaked(secret: PrivateKey) -> PrivateKey:
    """BIP 341's output key without scripts."""
    public = secret.public_key.format()
    number = secret.to_int() if public[0] == 2 else ORDER - secret.to_int()
    tag = hashlib.sha256(b"TapTweak").digest()
    tweak = hashlib.sha256(tag + tag + public[1:]).digest()
    return PrivateKey.from_int((number + int.from_bytes(tweak, "big")) % ORDER)
