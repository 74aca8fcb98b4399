"""What the codec's tests share: a wallet of single keys, its coins, and Bitcoin Core's verdict."""

from dataclasses import dataclass, field, replace
from functools import lru_cache

import pbk
from coincurve import PrivateKey

from console.adapters.chains.bitcoin import signable
from console.adapters.chains.bitcoin.accounts import RECEIVE, SEGWIT, KeyPosition, script_at
from console.adapters.chains.bitcoin.build import OwnCoin, SpendingDraft, Wallet
from console.adapters.chains.bitcoin.transaction import (
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    parse_transaction,
)
from console.application.ports.chain import Account, Payload, PublicKeys
from console.domain.errors import NotYetPossible
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, Network, SignatureKind
from console.protocols.derivation import parse_path, tap_tweak_scalar
from console.protocols.derivation.bip32 import child
from console.protocols.math.group import Point

CHAIN = Chain.BITCOIN
NETWORK = Network.DEVNET
FRIEND = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
"""The example of BIP 173 in regtest's form."""
ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141


@dataclass(frozen=True)
class SingleKeys:
    """Implements `PublicKeys` with whole secrets, of which the product has only shares."""

    secret: bytes = b"\x01" * 32
    chain_code: bytes = b"\x02" * 32
    kinds: frozenset[SignatureKind] = field(
        default=frozenset({SignatureKind.ECDSA_SECP256K1, SignatureKind.SCHNORR_BIP340})
    )

    def master_key(self, kind: SignatureKind) -> tuple[bytes, bytes]:
        self._require(kind)
        return PrivateKey(self.secret).public_key.format(), self.chain_code

    def public_key(self, kind: SignatureKind, path: str) -> bytes:
        self._require(kind)
        return _public(self.secret, self.chain_code, kind, path)

    def sign(self, payload: Payload) -> bytes:
        secret = _secret(self.secret, self.chain_code, payload.path)
        if payload.kind is SignatureKind.SCHNORR_BIP340:
            return secret.sign_schnorr(payload.message, bytes(32))
        return secret.sign_recoverable(payload.message, hasher=None)

    def _require(self, kind: SignatureKind) -> None:
        if kind not in self.kinds:
            raise NotYetPossible("the wallet has no such key")


@lru_cache(maxsize=512)
def _public(secret: bytes, chain_code: bytes, kind: SignatureKind, path: str) -> bytes:
    key = _secret(secret, chain_code, path).public_key.format()
    return key if kind is SignatureKind.ECDSA_SECP256K1 else key[1:]


@lru_cache(maxsize=512)
def _secret(secret: bytes, chain_code: bytes, path: str) -> PrivateKey:
    key = PrivateKey(secret)
    inner = path.removeprefix("tr(").removesuffix(")")
    for index in parse_path(inner):
        tweak, chain_code = child(Point(key.public_key.format()), chain_code, index)
        key = key.add(bytes(tweak))
    if inner == path:
        return key
    public = Point(key.public_key.format())
    if public[0] == 3:
        key = PrivateKey((ORDER - key.to_int()).to_bytes(32, "big"))
    return key.add(bytes(tap_tweak_scalar(public, None)))


KEYS = SingleKeys()
OTHER_KEYS = SingleKeys(b"\x05" * 32)


def coin(
    amount: int, account: Account = SEGWIT, index: int = 0, keys: PublicKeys = KEYS, salt: int = 0
) -> OwnCoin:
    """A coin of the account, made by a transaction with two outputs."""
    place = KeyPosition(RECEIVE, index)
    outputs = (TxOut(7_777, b"\x51"), TxOut(amount, script_at(account, keys, place)))
    maker = TxIn(OutPoint(salt.to_bytes(4, "big") * 8, 3), sequence=5, witness=(b"\x09" * 70,))
    return OwnCoin(Transaction(2, (maker,), outputs, 11), 1, place)


def draft(account: Account = SEGWIT, keys: PublicKeys = KEYS) -> SpendingDraft:
    return SpendingDraft(Wallet(account, keys, NETWORK)).rate(5_000).at(800_000)


def transfer(account: Account = SEGWIT, satoshis: int = 100_000) -> bytes:
    """An ordinary payment with two inputs and change."""
    coins = (coin(80_000, account, 0, salt=1), coin(90_000, account, 1, salt=2))
    return draft(account).pay(FRIEND, satoshis).spend(*coins).build(KeyPosition(1, 4))


def described(data: bytes, keys: PublicKeys = KEYS) -> TransactionDescription:
    return signable.describe(data, keys, CHAIN, NETWORK)


def signatures(data: bytes, keys: SingleKeys = KEYS) -> tuple[bytes, ...]:
    return tuple(keys.sign(payload) for payload in signable.payloads(data, keys, NETWORK))


def signed(data: bytes, keys: SingleKeys = KEYS) -> Transaction:
    made = signable.attach(data, signatures(data, keys), keys, NETWORK)
    transaction = parse_transaction(made.transaction)
    assert transaction.txid == made.transaction_id
    return transaction


def flagged(description: TransactionDescription, words: str) -> bool:
    return any(words in flag for flag in description.red_flags)


def core_accepts(transaction: Transaction, spent: tuple[TxOut, ...]) -> bool:
    """Ask Bitcoin Core's script interpreter about every input."""
    flags = pbk.ScriptVerificationFlags.ALL
    theirs = pbk.Transaction(transaction.encode())
    outputs = [pbk.TransactionOutput(pbk.ScriptPubkey(o.script), o.amount) for o in spent]
    precomputed = pbk.script.PrecomputedTransactionData(theirs, outputs)
    return all(
        output.script_pubkey.verify(output.amount, theirs, precomputed, index, flags)
        for index, output in enumerate(outputs)
    )


def with_flipped_bit(transaction: Transaction, place: int) -> Transaction:
    """Flip one bit of the first input's signature, so that the witness keeps its form."""
    witness = transaction.inputs[0].witness
    signature = bytearray(witness[0])
    signature[place // 8 % len(signature)] ^= 1 << place % 8
    first = replace(transaction.inputs[0], witness=(bytes(signature), *witness[1:]))
    return replace(transaction, inputs=(first, *transaction.inputs[1:]))
