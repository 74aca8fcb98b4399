"""The devnet's faucet: a key, generated at start unless it is given, to which blocks pay."""

from collections.abc import Sequence

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

from console.devnet.bitcoin.index import Coin, Outpoint

MAX_GIFT = 500 * 10**8
_FEE_RATE = 10
_BASE_SIZE, _INPUT_SIZE = 90, 69
_REPLACEABLE = 0xFFFFFFFD


class Faucet:
    """Signs payments from pay-to-witness-public-key-hash coins (BIP 143)."""

    def __init__(self, key: PrivateKey | None = None) -> None:
        self._key = key or PrivateKey()
        self._public_key: bytes = self._key.public_key.format()
        self._hash = Hash160(self._public_key)
        self.script = b"\x00\x14" + self._hash

    def payment(self, output: CTxOut, coins: Sequence[tuple[Outpoint, Coin]]) -> CTransaction:
        """Return a signed payment with change, from as few coins as it needs. Raises: ValueError.

        At most 500 bitcoin.
        """
        if not 0 < output.nValue <= MAX_GIFT:
            raise ValueError("the faucet does not give that much")
        chosen, total, needed = [], 0, output.nValue + _FEE_RATE * _BASE_SIZE
        for outpoint, coin in sorted(coins, key=lambda pair: -pair[1].output.nValue):
            chosen.append((outpoint, coin))
            total += coin.output.nValue
            needed += _FEE_RATE * _INPUT_SIZE
            # If the change would be dust, the coins are too few.
            if total >= needed + 1000:
                break
        else:
            raise ValueError("the faucet has not that much left; mine more blocks")
        change = CTxOut(total - needed, CScript(self.script))
        return self._signed([output, change], chosen)

    def _signed(
        self, outputs: list[CTxOut], coins: Sequence[tuple[Outpoint, Coin]]
    ) -> CTransaction:
        inputs = [
            CTxIn(COutPoint(txid, number), nSequence=_REPLACEABLE) for (txid, number), _ in coins
        ]
        unsigned = CTransaction(inputs, outputs, nVersion=2)
        witnesses = []
        # BIP 143: the script code of a key hash is that of a P2PKH output.
        code = CScript(b"\x76\xa9\x14" + self._hash + b"\x88\xac")
        for index, (_, coin) in enumerate(coins):
            digest = SignatureHash(
                code, unsigned, index, SIGHASH_ALL, coin.output.nValue, SIGVERSION_WITNESS_V0
            )
            signature = self._key.sign(digest, hasher=None) + bytes([SIGHASH_ALL])
            witnesses.append(CTxInWitness(CScriptWitness([signature, self._public_key])))
        return CTransaction(inputs, outputs, nVersion=2, witness=CTxWitness(tuple(witnesses)))
