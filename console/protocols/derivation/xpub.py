"""Extended public keys in the form wallets exchange (BIP 32, serialization format)."""

import hashlib
from dataclasses import dataclass
from typing import Self

from console.protocols.derivation import bip32
from console.protocols.derivation.context import TweakContext
from console.protocols.derivation.path import MAX_DEPTH, PathRefused, check_path
from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.secp256k1 import SECP256K1

MAINNET = bytes.fromhex("0488b21e")
TESTNET = bytes.fromhex("043587cf")

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


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
        return _base58(payload + _checksum(payload))

    @classmethod
    def decode(cls, text: str, version: bytes = MAINNET) -> Self:
        """Read what `encode` wrote. Raises: BadExtendedKey."""
        data = _from_base58(text)
        payload, checksum = data[:78], data[78:]
        if checksum != _checksum(payload) or payload[:4] != version:
            raise BadExtendedKey("the checksum or the version is wrong")
        depth, parent, index = payload[4], payload[5:9], int.from_bytes(payload[9:13], "big")
        if depth == 0 and (index or parent != bytes(4)):
            raise BadExtendedKey("a master key has no parent and no index")
        try:
            key = SECP256K1.parse_point(payload[45:])
        except BadEncoding:
            raise BadExtendedKey("the key is not a compressed point") from None
        return cls(key, payload[13:45], depth, parent, index)


def _checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]


def _base58(data: bytes) -> str:
    value, text = int.from_bytes(data, "big"), ""
    while value:
        value, digit = divmod(value, 58)
        text = _ALPHABET[digit] + text
    return text


def _from_base58(text: str) -> bytes:
    value = 0
    # Of this length exactly: a text with another digit 1 in front would mean the same bytes.
    if len(text) != 111:
        raise BadExtendedKey("the text has the wrong length")
    for character in text:
        digit = _ALPHABET.find(character)
        if digit < 0:
            raise BadExtendedKey("a character is not of base 58")
        value = value * 58 + digit
    return value.to_bytes(82, "big")  # 58**111 is below 256**82
