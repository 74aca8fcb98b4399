"""The digests of a PSBT, and the signed transaction."""

from console.adapters.chains.bitcoin.accounts import signing_key, signing_path
from console.adapters.chains.bitcoin.finalize import extract, finalize
from console.adapters.chains.bitcoin.ownership import Own, own_input
from console.adapters.chains.bitcoin.psbt_fields import In
from console.adapters.chains.bitcoin.psbt_map import Fields, value_of
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.second_reading import confirm_digests
from console.adapters.chains.bitcoin.sighash import HashType, segwit_digest, taproot_digest
from console.adapters.chains.bitcoin.signatures import ecdsa_signature, schnorr_signature
from console.adapters.chains.bitcoin.spending import Spending, parse_spending
from console.adapters.chains.bitcoin.transaction import TxOut
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
    owners = _owners(spending, keys)
    return tuple(
        Payload(digest, own.account.kind, signing_path(own.account, own.place))
        for digest, own in zip(_digests(spending), owners, strict=True)
    )


def attach_to_psbt(
    data: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
) -> SignedTransaction:
    """Join bytes and signatures, each checked against the input's key.

    Raises: TransactionError, UnknownTransaction.
    """
    spending = parse_spending(data)
    owners = _owners(spending, keys)
    if len(signatures) != len(owners):
        raise TransactionError("there must be one signature for each input")
    parts = zip(signatures, _digests(spending), owners, _hash_types(spending), strict=True)
    witnesses = tuple(
        witness_of(
            own.account, signature, digest, signing_key(own.account, keys, own.place), hash_type
        )
        for signature, digest, own, hash_type in parts
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


def _owners(spending: Spending, keys: PublicKeys) -> tuple[Own, ...]:
    """Return the place of each input, of either account. Raises: UnknownTransaction."""
    if spending.doubts:
        raise UnknownTransaction(spending.doubts[0])
    owners = []
    pairs = zip(spending.psbt.inputs, spending.spent, strict=True)
    for number, (fields, output) in enumerate(pairs, start=1):
        own = own_input(fields, output.script, keys)
        if own is None:
            raise UnknownTransaction(f"input {number} is not of this wallet: nothing to sign")
        owners.append(own)
    return tuple(owners)


def _digests(spending: Spending) -> tuple[bytes, ...]:
    """Return the digest of each own input, by its kind. Raises: UnknownTransaction."""
    transaction, spent = spending.psbt.transaction, spending.spent
    digests = tuple(
        taproot_digest(transaction, index, spent, hash_type)
        if _is_taproot(output)
        else segwit_digest(transaction, index, output)
        for index, (output, hash_type) in enumerate(zip(spent, _hash_types(spending), strict=True))
    )
    checked = zip(spent, digests, strict=True)
    confirm_digests(
        transaction,
        spent,
        tuple(None if _is_taproot(output) else digest for output, digest in checked),
    )
    return digests


def _hash_types(spending: Spending) -> tuple[HashType, ...]:
    pairs = zip(spending.psbt.inputs, spending.spent, strict=True)
    return tuple(_hash_type(fields, output) for fields, output in pairs)


def _hash_type(fields: Fields, spent: TxOut) -> HashType:
    usual = HashType.DEFAULT if _is_taproot(spent) else HashType.ALL
    value = value_of(fields, In.SIGHASH_TYPE)
    number = int.from_bytes(value, "little") if value is not None else usual
    if number not in {usual, HashType.ALL}:
        raise UnknownTransaction("an input asks for a signature over a part of the transaction")
    return HashType(number)


def _is_taproot(spent: TxOut) -> bool:
    return kind_of(spent.script) is ScriptKind.P2TR
