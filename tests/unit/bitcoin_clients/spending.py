"""Signs spends with one plain key, apart from the product's own codec (BIP 143, BIP 341)."""

import hashlib
import struct
from dataclasses import dataclass, field

from bitcoin.core import (
    COutPoint,
    CTransaction,
    CTxIn,
    CTxInWitness,
    CTxOut,
    CTxWitness,
)
from bitcoin.core.script import (
    SIGHASH_ALL,
    SIGVERSION_WITNESS_V0,
    CScript,
    CScriptWitness,
    SignatureHash,
)
from bitcoin.core.serialize import Hash160
from coincurve import PrivateKey

from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.index import Coin, Outpoint
from console.devnet.bitcoin.node import BitcoinDevnet

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FUNDING = 10**8
FEE = 1000
REPLACEABLE, FINAL = 0xFFFFFFFD, 0xFFFFFFFF
BURNED = b"\x00\x14" + bytes(20)
ADDRESS = "bcrt1qs758ursh4q9z627kt3pp5yysm78ddny6txaqgw"
UNKNOWN = "ab" * 32
SPEND = bytes.fromhex(
    "0200000001" + "11" * 32 + "00000000" + "00" + "ffffffff"
    "01" + "e803000000000000" + "16" + "0014" + "00" * 20 + "00000000"
)  # fmt: skip
"""Well formed, and of a coin that nobody has."""
Funded = tuple[Outpoint, Coin]


def with_high_s(signature: bytes) -> bytes:
    """Return the other signature of the same message, which is valid and not relayed."""
    length = signature[3]
    r, s = signature[4 : 4 + length], int.from_bytes(signature[6 + length : -1], "big")
    high = (ORDER - s).to_bytes(33, "big")
    body = b"\x02" + bytes([length]) + r + b"\x02\x21" + high
    return b"\x30" + bytes([len(body)]) + body + signature[-1:]


@dataclass
class Purse:
    """A key, with its two addresses: by key hash, and by taproot's key path (BIP 86)."""

    key: PrivateKey = field(default_factory=PrivateKey)

    def __post_init__(self) -> None:
        public = self.key.public_key.format()
        secret = int.from_bytes(self.key.secret, "big")
        even = secret if public[0] == 2 else ORDER - secret
        tweak = tagged("TapTweak", public[1:])
        self.tweaked = PrivateKey.from_int((even + int.from_bytes(tweak, "big")) % ORDER)
        self.hash: bytes = Hash160(public)
        self.key_hash_script = b"\x00\x14" + self.hash
        self.taproot_script = b"\x51\x20" + self.tweaked.public_key.format()[1:]

    @property
    def scripts(self) -> tuple[bytes, bytes]:
        return self.key_hash_script, self.taproot_script

    def fill(self, devnet: BitcoinDevnet, script: bytes, sats: int = FUNDING) -> Funded:
        """Have the faucet pay to a script; return the coin."""
        address = address_of(script)
        assert address is not None
        txid = devnet.fund(address, sats)
        return next(pair for pair in devnet.unspent(script) if pair[0][0] == txid)

    def spend(
        self,
        coins: list[Funded],
        outputs: list[CTxOut] | None = None,
        *,
        fee: int = FEE,
        sequence: int = REPLACEABLE,
        locktime: int = 0,
        version: int = 2,
    ) -> CTransaction:
        """Return a signed spend; without outputs, of everything to a script that nobody has."""
        total = sum(coin.output.nValue for _, coin in coins)
        outputs = outputs or [pay(total - fee)]
        inputs = [CTxIn(COutPoint(*outpoint), nSequence=sequence) for outpoint, _ in coins]
        plain = CTransaction(inputs, outputs, locktime, version)
        spent = [coin.output for _, coin in coins]
        witnesses = tuple(
            CTxInWitness(CScriptWitness(self._witness(plain, index, spent)))
            for index in range(len(coins))
        )
        return CTransaction(inputs, outputs, locktime, version, CTxWitness(witnesses))

    def _witness(self, plain: CTransaction, index: int, spent: list[CTxOut]) -> list[bytes]:
        if bytes(spent[index].scriptPubKey) == self.taproot_script:
            return [self.tweaked.sign_schnorr(taproot_digest(plain, index, spent))]
        code = CScript(b"\x76\xa9\x14" + self.hash + b"\x88\xac")
        value = spent[index].nValue
        digest = SignatureHash(code, plain, index, SIGHASH_ALL, value, SIGVERSION_WITNESS_V0)
        signature = self.key.sign(digest, hasher=None) + bytes([SIGHASH_ALL])
        return [signature, self.key.public_key.format()]


def pay(sats: int, script: bytes = BURNED) -> CTxOut:
    return CTxOut(sats, CScript(script))


def tagged(tag: str, data: bytes) -> bytes:
    """BIP 340's tagged hash."""
    name = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(name + name + data).digest()


def taproot_digest(transaction: CTransaction, index: int, spent: list[CTxOut]) -> bytes:
    """BIP 341's signature message for the key path and the default hash type."""

    def summed(parts: list[bytes]) -> bytes:
        return hashlib.sha256(b"".join(parts)).digest()

    message = b"\x00\x00" + struct.pack("<iI", transaction.nVersion, transaction.nLockTime)
    message += summed([entry.prevout.serialize() for entry in transaction.vin])
    message += summed([struct.pack("<q", output.nValue) for output in spent])
    message += summed([output.serialize()[8:] for output in spent])
    message += summed([struct.pack("<I", entry.nSequence) for entry in transaction.vin])
    message += summed([output.serialize() for output in transaction.vout])
    message += b"\x00" + struct.pack("<I", index)
    return tagged("TapSighash", message)
