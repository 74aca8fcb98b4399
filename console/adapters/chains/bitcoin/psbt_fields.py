"""The fields of PSBTs, and the checks of their keys and values (BIP 174, 370, 371)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from coincurve import PublicKey

from console.adapters.chains.bitcoin.transaction import parse_output, parse_transaction
from console.adapters.chains.bitcoin.wire import Reader, hash160, sha256d
from console.application.errors import UnknownTransaction

LOCKTIME_IS_TIME = 500_000_000
"""Lock times from here on are seconds since 1970, lower ones are heights."""
Check = Callable[[bytes, bytes], None]
"""Takes key data and value. Raises: UnknownTransaction."""


class Global(IntEnum):
    """Types of keys in the first map."""

    UNSIGNED_TX = 0x00
    XPUB = 0x01
    TX_VERSION = 0x02
    FALLBACK_LOCKTIME = 0x03
    INPUT_COUNT = 0x04
    OUTPUT_COUNT = 0x05
    TX_MODIFIABLE = 0x06
    VERSION = 0xFB
    PROPRIETARY = 0xFC


class In(IntEnum):
    """Types of keys in an input's map."""

    NON_WITNESS_UTXO = 0x00
    WITNESS_UTXO = 0x01
    PARTIAL_SIG = 0x02
    SIGHASH_TYPE = 0x03
    REDEEM_SCRIPT = 0x04
    WITNESS_SCRIPT = 0x05
    BIP32_DERIVATION = 0x06
    FINAL_SCRIPTSIG = 0x07
    FINAL_SCRIPTWITNESS = 0x08
    POR_COMMITMENT = 0x09
    RIPEMD160 = 0x0A
    SHA256 = 0x0B
    HASH160 = 0x0C
    HASH256 = 0x0D
    PREVIOUS_TXID = 0x0E
    OUTPUT_INDEX = 0x0F
    SEQUENCE = 0x10
    REQUIRED_TIME_LOCKTIME = 0x11
    REQUIRED_HEIGHT_LOCKTIME = 0x12
    TAP_KEY_SIG = 0x13
    TAP_SCRIPT_SIG = 0x14
    TAP_LEAF_SCRIPT = 0x15
    TAP_BIP32_DERIVATION = 0x16
    TAP_INTERNAL_KEY = 0x17
    TAP_MERKLE_ROOT = 0x18
    PROPRIETARY = 0xFC


class Out(IntEnum):
    """Types of keys in an output's map."""

    REDEEM_SCRIPT = 0x00
    WITNESS_SCRIPT = 0x01
    BIP32_DERIVATION = 0x02
    AMOUNT = 0x03
    SCRIPT = 0x04
    TAP_INTERNAL_KEY = 0x05
    TAP_TREE = 0x06
    TAP_BIP32_DERIVATION = 0x07
    PROPRIETARY = 0xFC


@dataclass(frozen=True, slots=True)
class Rule:
    """The check of a type's key data and value, and the versions that may and must have it."""

    check: Check
    versions: tuple[int, ...] = (0, 2)
    required: tuple[int, ...] = ()


def _require(*, holds: bool, what: str) -> None:
    if not holds:
        raise UnknownTransaction(f"a field of the PSBT is malformed: {what}")


def _plain(sizes: tuple[int, ...] = ()) -> Check:
    """Return a check for no key data and a value of one of these sizes, or of any size."""

    def check(key_data: bytes, value: bytes) -> None:
        _require(holds=not key_data, what="its key is too long")
        _require(holds=not sizes or len(value) in sizes, what="its value has the wrong length")

    return check


def _number(least: int, most: int) -> Check:
    def check(key_data: bytes, value: bytes) -> None:
        _plain((4,))(key_data, value)
        in_range = least <= int.from_bytes(value, "little") <= most
        _require(holds=in_range, what="its number is out of range")

    return check


def _parsed(parse: Callable[[bytes], object]) -> Check:
    def check(key_data: bytes, value: bytes) -> None:
        _require(holds=not key_data, what="its key is too long")
        parse(value)

    return check


def _any(key_data: bytes, value: bytes) -> None:
    """Accept any key data and value."""


def _public_key(key_data: bytes) -> None:
    expected = {2: 33, 3: 33, 4: 65}.get(key_data[0]) if key_data else None
    _require(holds=len(key_data) == expected, what="its key is no public key")
    try:
        PublicKey(key_data)
    except ValueError:
        _require(holds=False, what="its key is no public key")


def _partial_sig(key_data: bytes, value: bytes) -> None:
    _public_key(key_data)
    # Strict DER has from 8 to 72 bytes, and the hash type is one more.
    _require(holds=9 <= len(value) <= 73, what="a signature has the wrong length")


def _origin(value: bytes) -> None:
    _require(holds=len(value) >= 4 and not len(value) % 4, what="a key's origin has a wrong length")


def _derivation(key_data: bytes, value: bytes) -> None:
    _public_key(key_data)
    _origin(value)


def _xpub(key_data: bytes, value: bytes) -> None:
    _require(holds=len(key_data) == 78, what="an extended key has the wrong length")
    _public_key(key_data[45:])
    _origin(value)
    # The extended key's own depth is the fifth of its bytes (BIP 32).
    _require(holds=key_data[4] == len(value) // 4 - 1, what="an extended key is at another depth")


def _preimage(digest: Callable[[bytes], bytes]) -> Check:
    def check(key_data: bytes, value: bytes) -> None:
        _require(holds=digest(value) == key_data, what="a preimage has another hash")

    return check


def _tap_script_sig(key_data: bytes, value: bytes) -> None:
    _require(holds=len(key_data) == 64, what="its key is no key and leaf hash")
    _require(holds=len(value) in {64, 65}, what="a signature has the wrong length")


def _tap_leaf_script(key_data: bytes, value: bytes) -> None:
    depth, rest = divmod(len(key_data) - 33, 32)
    _require(holds=not rest and 0 <= depth <= 128, what="its key is no control block")
    _require(holds=len(value) >= 1, what="a leaf has no version")


def _tap_derivation(key_data: bytes, value: bytes) -> None:
    _require(holds=len(key_data) == 32, what="its key is no key of 32 bytes")
    reader = Reader(value, "origin of a key")
    for _ in range(min(reader.compact(), len(value))):
        reader.take(32)
    _origin(reader.take(reader.left))


def _tap_tree(key_data: bytes, value: bytes) -> None:
    """Check that the leaves, depth first, fill one binary tree (BIP 371)."""
    _require(holds=not key_data, what="its key is too long")
    reader = Reader(value, "tree of scripts")
    filled = 0
    while reader.left:
        depth, version = reader.take(2)
        reader.string()
        _require(holds=depth <= 128 and not version & 1, what="a leaf has a wrong depth or version")
        place = 1 << 128 - depth
        _require(holds=not filled % place, what="the leaves form no tree")
        filled += place
    _require(holds=filled == 1 << 128, what="the leaves form no tree")


def _stack(value: bytes) -> None:
    reader = Reader(value, "witness")
    reader.stack()
    reader.end()


def _count(value: bytes) -> None:
    reader = Reader(value, "count")
    reader.compact()
    reader.end()


def _ripemd160(data: bytes) -> bytes:
    return hashlib.new("ripemd160", data).digest()


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


GLOBALS: Mapping[int, Rule] = {
    # `psbt` parses its bytes.
    Global.UNSIGNED_TX: Rule(_plain(), (0,), (0,)),
    Global.XPUB: Rule(_xpub),
    Global.TX_VERSION: Rule(_plain((4,)), (2,), (2,)),
    Global.FALLBACK_LOCKTIME: Rule(_plain((4,)), (2,)),
    Global.INPUT_COUNT: Rule(_parsed(_count), (2,), (2,)),
    Global.OUTPUT_COUNT: Rule(_parsed(_count), (2,), (2,)),
    Global.TX_MODIFIABLE: Rule(_plain((1,)), (2,)),
    Global.VERSION: Rule(_plain((4,)), (0, 2), (2,)),
    Global.PROPRIETARY: Rule(_any),
}
INPUTS: Mapping[int, Rule] = {
    In.NON_WITNESS_UTXO: Rule(_parsed(parse_transaction)),
    In.WITNESS_UTXO: Rule(_parsed(parse_output)),
    In.PARTIAL_SIG: Rule(_partial_sig),
    In.SIGHASH_TYPE: Rule(_plain((4,))),
    In.REDEEM_SCRIPT: Rule(_plain()),
    In.WITNESS_SCRIPT: Rule(_plain()),
    In.BIP32_DERIVATION: Rule(_derivation),
    In.FINAL_SCRIPTSIG: Rule(_plain()),
    In.FINAL_SCRIPTWITNESS: Rule(_parsed(_stack)),
    In.POR_COMMITMENT: Rule(_plain()),
    In.RIPEMD160: Rule(_preimage(_ripemd160)),
    In.SHA256: Rule(_preimage(_sha256)),
    In.HASH160: Rule(_preimage(hash160)),
    In.HASH256: Rule(_preimage(sha256d)),
    In.PREVIOUS_TXID: Rule(_plain((32,)), (2,), (2,)),
    In.OUTPUT_INDEX: Rule(_plain((4,)), (2,), (2,)),
    In.SEQUENCE: Rule(_plain((4,)), (2,)),
    In.REQUIRED_TIME_LOCKTIME: Rule(_number(LOCKTIME_IS_TIME, 0xFFFF_FFFF), (2,)),
    In.REQUIRED_HEIGHT_LOCKTIME: Rule(_number(1, LOCKTIME_IS_TIME - 1), (2,)),
    In.TAP_KEY_SIG: Rule(_plain((64, 65))),
    In.TAP_SCRIPT_SIG: Rule(_tap_script_sig),
    In.TAP_LEAF_SCRIPT: Rule(_tap_leaf_script),
    In.TAP_BIP32_DERIVATION: Rule(_tap_derivation),
    In.TAP_INTERNAL_KEY: Rule(_plain((32,))),
    In.TAP_MERKLE_ROOT: Rule(_plain((32,))),
    In.PROPRIETARY: Rule(_any),
}
OUTPUTS: Mapping[int, Rule] = {
    Out.REDEEM_SCRIPT: Rule(_plain()),
    Out.WITNESS_SCRIPT: Rule(_plain()),
    Out.BIP32_DERIVATION: Rule(_derivation),
    Out.AMOUNT: Rule(_plain((8,)), (2,), (2,)),
    Out.SCRIPT: Rule(_plain(), (2,), (2,)),
    Out.TAP_INTERNAL_KEY: Rule(_plain((32,))),
    Out.TAP_TREE: Rule(_tap_tree),
    Out.TAP_BIP32_DERIVATION: Rule(_tap_derivation),
    Out.PROPRIETARY: Rule(_any),
}
