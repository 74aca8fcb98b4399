"""The digests of a PSBT, and the signed transaction."""

from console.adapters.chains.bitcoin.accounts import KeyPosition, signing_key, signing_path
from console.adapters.chains.bitcoin.finalize import extract, finalize
from console.adapters.chains.bitcoin.ownership import claimed_account, own_input
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import Fields, value_of
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.second_reading import confirm_digests
from console.adapters.chains.bitcoin.sighash import HashType, segwit_digest, taproot_digest
from console.adapters.chains.bitcoin.signatures import ecdsa_signature, schnorr_signature
from console.adapters.chains.bitcoin.spending import Spending, parse_spending
from console.adapters.chains.bitcoin.wire import stacked
from console.application.errors import TransactionError, UnknownTransaction
from console.application.ports.chain import Account, Payload, PublicKeys, SignedTransaction
from console.domain.values import SignatureKind

_LARGEST_SEGWIT = stacked((bytes(72), bytes(33)))
_LARGEST_TAPROOT = stacked((bytes(64),))


def psbt_payloads(data: bytes, keys: PublicKeys) -> tuple[Payload, ...]:
    """Return one digest for each input, in order.

    Raises: UnknownTransaction, also if an input's amount or owner is not proven.
    """
    spending = parse_spending(data)
    account = claimed_account(spending.psbt.inputs)
    places = _own_places(spending, account, keys)
    return tuple(
        Payload(digest, account.kind, signing_path(account, place))
        for digest, place in zip(_digests(spending, account), places, strict=True)
    )


def attach_to_psbt(
    data: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
) -> SignedTransaction:
    """Join bytes and signatures, each checked against the input's key.

    Raises: TransactionError, UnknownTransaction.
    """
    spending = parse_spending(data)
    account = claimed_account(spending.psbt.inputs)
    places = _own_places(spending, account, keys)
    if len(signatures) != len(places):
        raise TransactionError("there must be one signature for each input")
    parts = zip(signatures, _digests(spending, account), places, spending.psbt.inputs, strict=True)
    witnesses = tuple(
        witness_of(
            account,
            signature,
            digest,
            signing_key(account, keys, place),
            _hash_type(fields, account),
        )
        for signature, digest, place, fields in parts
    )
    signed = extract(finalize(spending.psbt, witnesses))
    return SignedTransaction(signed.encode(), signed.txid)


def witness_of(
    account: Account, signature: bytes, digest: bytes, key: bytes, hash_type: HashType
) -> tuple[bytes, ...]:
    """Return the witness that spends an output of the account. Raises: TransactionError."""
    if account.kind is SignatureKind.SCHNORR_BIP340:
        return (schnorr_signature(signature, digest, key, hash_type),)
    return ecdsa_signature(signature, digest, key), key


def signed_vsize(spending: Spending) -> int:
    """Return the largest possible virtual size of the signed transaction."""
    stripped = len(spending.psbt.transaction.encode_stripped())
    witnesses = sum(
        len(_LARGEST_TAPROOT if kind_of(each.script) is ScriptKind.P2TR else _LARGEST_SEGWIT)
        for each in spending.spent
    )
    return stripped + -(-(2 + witnesses) // 4)


def _own_places(spending: Spending, account: Account, keys: PublicKeys) -> tuple[KeyPosition, ...]:
    if spending.doubts:
        raise UnknownTransaction(spending.doubts[0])
    places = []
    pairs = zip(spending.psbt.inputs, spending.spent, strict=True)
    for number, (fields, output) in enumerate(pairs, start=1):
        place = own_input(fields, output.script, account, keys)
        if place is None:
            raise UnknownTransaction(f"input {number} is not of this account: nothing to sign")
        places.append(place)
    return tuple(places)


def _digests(spending: Spending, account: Account) -> tuple[bytes, ...]:
    """Return the digest of each input. Raises: UnknownTransaction."""
    transaction, spent = spending.psbt.transaction, spending.spent
    hash_types = [_hash_type(fields, account) for fields in spending.psbt.inputs]
    if account.kind is SignatureKind.SCHNORR_BIP340:
        return tuple(
            taproot_digest(transaction, index, spent, hash_type)
            for index, hash_type in enumerate(hash_types)
        )
    digests = tuple(segwit_digest(transaction, i, output) for i, output in enumerate(spent))
    confirm_digests(transaction, spent, digests)
    return digests


def _hash_type(fields: Fields, account: Account) -> HashType:
    taproot = account.kind is SignatureKind.SCHNORR_BIP340
    usual = HashType.DEFAULT if taproot else HashType.ALL
    value = value_of(fields, In.SIGHASH_TYPE)
    number = int.from_bytes(value, "little") if value is not None else usual
    if number not in {usual, HashType.ALL}:
        raise UnknownTransaction("an input asks for a signature over a part of the transaction")
    return HashType(number)
