"""What is to be signed, described for people and policy from its bytes alone."""

import hashlib
from dataclasses import dataclass, field, replace

from console.adapters.chains.ethereum.address import ZERO, parse_address
from console.adapters.chains.ethereum.authorization import Authorization
from console.adapters.chains.ethereum.calldata import call_meaning
from console.adapters.chains.ethereum.fees import fee_flags
from console.adapters.chains.ethereum.fields import AccessEntry
from console.adapters.chains.ethereum.flow import flow_of
from console.adapters.chains.ethereum.gas import gas_flags
from console.adapters.chains.ethereum.meaning import (
    Call,
    Known,
    Meaning,
    shown_address,
    shown_bytes,
    shown_text,
    written,
)
from console.adapters.chains.ethereum.messages import PersonalMessage, message_meaning
from console.adapters.chains.ethereum.signable import Signable, parse
from console.adapters.chains.ethereum.transaction import Transaction, TransactionKind
from console.adapters.chains.ethereum.typed_data import TypedData
from console.adapters.chains.ethereum.typed_meaning import typed_meaning
from console.application.errors import TransactionError, UnknownTransaction
from console.domain.transaction import CoinFlow, TransactionDescription
from console.domain.values import Amount, Chain, Network

MAX_FIELDS = 400
_KINDS = {
    TransactionKind.LEGACY: "legacy (EIP-155)",
    TransactionKind.ACCESS_LIST: "1 (EIP-2930)",
    TransactionKind.DYNAMIC_FEE: "2 (EIP-1559)",
    TransactionKind.BLOB: "3, with blobs (EIP-4844)",
    TransactionKind.SET_CODE: "4, with authorisations (EIP-7702)",
}


@dataclass(frozen=True, slots=True)
class ChainContext:
    """Where the wallet is: one chain, by its id, and what its owners know of contracts there."""

    chain: Chain
    network: Network
    chain_id: int
    known: Known = field(default_factory=Known)


def describe(data: bytes, sender: str, place: ChainContext) -> TransactionDescription:
    """Decode what the account `sender` is asked to sign.

    Raises: UnknownTransaction; InvalidAddress if `sender` is none.
    """
    account = parse_address(sender)
    signable = parse(data, place.chain_id)
    meaning = _meaning(signable, account, place)
    if len(meaning.fields) > MAX_FIELDS:
        raise UnknownTransaction("it does more than can be shown: split it")
    fee = signable.fee_ceiling if isinstance(signable, Transaction) else meaning.fee
    return TransactionDescription(
        chain=place.chain,
        network=place.network,
        action=meaning.action,
        from_address=shown_address(account),
        to_address=shown_address(meaning.to) if meaning.to else "",
        amount=meaning.amount,
        fee=place.known.coins(fee),
        fields=(*meaning.fields, ("Signing hash", f"0x{signable.signing_hash().hex()}")),
        red_flags=meaning.flags,
        digest=hashlib.sha256(data).digest(),
        flow=meaning.flow or CoinFlow(out=0, pays_fee=False),
    )


def _meaning(signable: Signable, account: bytes, place: ChainContext) -> Meaning:
    match signable:
        case Transaction():
            return _transaction(signable, account, place.known)
        case Authorization():
            return _authorization(signable, account, place.known)
        case TypedData():
            return _typed(signable, account, place.known)
        case PersonalMessage():
            return message_meaning(signable, account, place.known)


def _transaction(transaction: Transaction, account: bytes, known: Known) -> Meaning:
    target = transaction.to
    if target is None:
        meaning = Meaning(
            "Create contract",
            b"",
            known.coins(transaction.value),
            (("Code", shown_bytes(transaction.data)),),
            ("New code is put on the chain; what it does is not understood",),
            flow=CoinFlow(out=transaction.value),
        )
    else:
        call = Call(account, target, transaction.value, transaction.data)
        meaning = call_meaning(call, known)
        if target == account and not transaction.value and not transaction.data:
            meaning = Meaning("Cancel", target, known.coins(0))
        meaning = replace(meaning, flow=flow_of(call, known))
    authorizations, flags = _authorizations(transaction, account)
    flags += fee_flags(transaction) + gas_flags(transaction)
    return meaning.with_more((*authorizations, *_envelope(transaction)), flags)


def _envelope(transaction: Transaction) -> tuple[tuple[str, str], ...]:
    """Return the fields beside the call: chain, nonce, type, gas, fees."""
    dynamic = transaction.kind >= TransactionKind.DYNAMIC_FEE
    fields = [
        ("Chain id", str(transaction.chain_id)),
        ("Nonce", str(transaction.nonce)),
        ("Type", _KINDS[transaction.kind]),
        ("Gas limit", str(transaction.gas_limit)),
        ("Maximum fee per gas" if dynamic else "Gas price", _gwei(transaction.max_fee)),
    ]
    if dynamic:
        fields.append(("Tip per gas", _gwei(transaction.max_tip)))
    if transaction.blob_hashes:
        fields.append(("Maximum fee per blob gas", _gwei(transaction.blob_fee)))
        fields += [("Blob", f"0x{versioned.hex()}") for versioned in transaction.blob_hashes]
    fields += [
        (f"Access list {number}", _announced(entry))
        for number, entry in enumerate(transaction.access_list, start=1)
    ]
    return tuple(fields)


def _authorizations(
    transaction: Transaction, account: bytes
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    fields: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()
    for number, signed in enumerate(transaction.authorizations, start=1):
        try:
            authority = signed.authority()
        except TransactionError:
            raise UnknownTransaction(f"no key signed authorisation {number}") from None
        chain = signed.content.chain_id
        if chain not in {0, transaction.chain_id}:
            raise UnknownTransaction(f"authorisation {number} is for chain {chain}")
        who, code = shown_address(authority), shown_address(signed.content.address)
        what = "gives up its code" if signed.content.address == ZERO else f"acts by {code}"
        fields += ((f"Authorisation {number}", f"{who} {what}, nonce {signed.content.nonce}"),)
        flags += (f"From now on the account {who} {what}",)
        if authority == account:
            flags += ("The authorisation is for the account that signs this",)
        if not chain:
            flags += (f"Authorisation {number} is valid on every chain",)
    return fields, flags


def _authorization(content: Authorization, account: bytes, known: Known) -> Meaning:
    code = shown_address(content.address)
    fields = (
        ("Chain id", str(content.chain_id) if content.chain_id else "every chain"),
        ("Nonce", str(content.nonce)),
    )
    action = "Authorise code"
    flags: tuple[str, ...] = (
        f"The code at {code} will act with all rights of {shown_address(account)}",
    )
    if content.address == ZERO:
        action, flags = "Take back code", ("The account's code is taken away",)
    if not content.chain_id:
        flags += ("It is valid on every chain",)
    return Meaning(action, content.address, known.coins(0), fields, flags)


def _typed(document: TypedData, account: bytes, known: Known) -> Meaning:
    domain = document.domain
    labels = (("name", "Application"), ("version", "Version"), ("chainId", "Chain id"))
    fields = tuple(
        (label, shown_text(str(domain[name]))[:512]) for name, label in labels if name in domain
    )
    contract, salt = domain.get("verifyingContract"), domain.get("salt")
    if isinstance(contract, bytes):
        fields += (("Verifying contract", shown_address(contract)),)
    if isinstance(salt, bytes):
        fields += (("Salt", shown_bytes(salt)),)
    fields += (("Kind", document.primary),)
    fields += tuple((f"Not signed: {place}", value) for place, value in document.undeclared)
    flags: tuple[str, ...] = ()
    if "chainId" not in domain:
        flags += ("It names no chain: the signature is valid on every one",)
    if contract is None:
        flags += ("It names no contract: the signature may be valid for several",)
    return typed_meaning(document, account, known).with_more(fields, flags)


def _announced(entry: AccessEntry) -> str:
    keys = f", {len(entry.keys)} keys: {shown_bytes(b''.join(entry.keys))}" if entry.keys else ""
    return shown_address(entry.address) + keys


def _gwei(wei: int) -> str:
    return written(Amount(wei, "gwei", 9))
