"""Extended public keys in the form wallets exchange (BIP 32, serialization format)."""

import hashlib
from dataclasses import dataclass
from typing import Self

from console.protocols.derivation import base58check, bip32
from console.protocols.derivation.base58check import BadBase58
from console.protocols.derivation.context import TweakContext
from console.protocols.derivation.path import MAX_DEPTH, PathRefused, check_path
from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.secp256k1 import SECP256K1

MAINNET = bytes.fromhex("0488b21e")
TESTNET = bytes.fromhex("043587cf")

_LENGTH = 111
_PAYLOAD_BYTES = 78


class BadExtendedKey(ValueError):
    """Text is not the serialization of an extended public key."""


@dataclass(frozen=True, slots=True)
class ExtendedPublicKey:
    """A key of secp256k1 with its chain code, and its place in the tree.

    `parent` is the fingerprint of the parent key, 4 bytes, zero for a master key.
    """

    key: Point
    chain_code: bytes
    depth: int = 0
    parent: bytes = bytes(4)
    index: int = 0

    @property
    def fingerprint(self) -> bytes:
        """The first 4 bytes of HASH160 of the key."""
        return hashlib.new("ripemd160", hashlib.sha256(self.key).digest()).digest()[:4]

    def child(self, index: int) -> Self:
        """Return the unhardened child. Raises: PathRefused; DegenerateTweak."""
        check_path((index,))
        if self.depth == MAX_DEPTH:
            raise PathRefused("the path is too deep")
        tweak, chain_code = bip32.child(self.key, self.chain_code, index)
        key = TweakContext.of(SECP256K1, self.key).apply(tweak).Q
        return type(self)(key, chain_code, self.depth + 1, self.fingerprint, index)

    def encode(self, version: bytes = MAINNET) -> str:
        """Return the 111 characters that begin with `xpub` on the main network."""
        place = bytes((self.depth,)) + self.parent + self.index.to_bytes(4, "big")
        payload = version + place + self.chain_code + self.key
        return base58check.encode(payload)

    @classmethod
    def decode(cls, text: str, version: bytes = MAINNET) -> Self:
        """Read what `encode` wrote. Raises: BadExtendedKey."""
        if len(text) != _LENGTH:
            raise BadExtendedKey("the text has the wrong length")
        try:
            payload = base58check.decode(text)
        except BadBase58 as bad:
            raise BadExtendedKey(f"the text is mistyped: {bad}") from None
        if len(payload) != _PAYLOAD_BYTES or payload[:4] != version:
            raise BadExtendedKey("the text is of another kind or network")
        depth, parent, index = payload[4], payload[5:9], int.from_bytes(payload[9:13], "big")
        if depth == 0 and (index or parent != bytes(4)):
            raise BadExtendedKey("a master key has no parent and no index")
        try:
            key = SECP256K1.parse_point(payload[45:])
        except BadEncoding:
            raise BadExtendedKey("the key is not a compressed point") from None
        return cls(key, payload[13:45], depth, parent, index)
