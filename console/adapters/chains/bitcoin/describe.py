"""What a PSBT does, decoded from its bytes; keys only identify the wallet's own scripts."""

import hashlib

from console.adapters.chains.bitcoin.accounts import RECEIVE, KeyPosition, script_at
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.dangers import (
    fee_flags,
    hash_type_flags,
    is_unlocked,
    lock_flags,
    signals_replacement,
    standard_flags,
)
from console.adapters.chains.bitcoin.horizon import Horizon
from console.adapters.chains.bitcoin.meaning import Payee, payees
from console.adapters.chains.bitcoin.metadata import unsigned_fields
from console.adapters.chains.bitcoin.ownership import Own, claimed_account, own_input
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_fields import LOCKTIME_IS_TIME, In
from console.adapters.chains.bitcoin.psbt_map import value_of
from console.adapters.chains.bitcoin.script import relays_everywhere
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.spending import Spending, parse_spending
from console.adapters.chains.bitcoin.text import (
    amount_of,
    coins,
    date_text,
    rate_text,
    shown_script,
)
from console.adapters.chains.bitcoin.transaction import FINAL_SEQUENCE
from console.application.ports.chain import PublicKeys
from console.domain.transaction import CoinFlow, TransactionDescription
from console.domain.values import Chain, Network

REPLACEABLE_SEQUENCE = FINAL_SEQUENCE - 2
"""The usual sequence number of a replaceable transaction (BIP 125)."""
_NOT_SIGNALLED = "yes, though it does not say so: nodes replace since Bitcoin Core 28"


def describe_psbt(
    data: bytes, keys: PublicKeys, chain: Chain, network: Network, horizon: Horizon
) -> TransactionDescription:
    """Return the description of a PSBT. Raises: UnknownTransaction; odd parts become red flags.

    `amount` is the sum of all payments to others, 0 if there are none. Of several payees,
    `to_address` is the one with the largest payment, and `action` says how many there are.
    """
    spending = parse_spending(data)
    psbt = spending.psbt
    outputs = payees(psbt, keys, network)
    vsize = signed_vsize(spending)
    owners = _owners(spending, keys)
    inputs, foreign = _inputs(spending, owners, network)
    others = tuple(each for each in outputs if each.own is None)
    stays = tuple(each for each in outputs if each.own is not None)
    paid = sorted(
        (each for each in others if each.data is None), key=lambda each: -each.output.amount
    )
    shown = (*paid, *stays, *outputs)
    return TransactionDescription(
        chain=chain,
        network=network,
        action=_action(others),
        from_address=address_of(_payer(spending, owners, keys), network) or "",
        to_address=shown[0].address,
        amount=amount_of(sum(each.output.amount for each in others)),
        fee=amount_of(spending.fee),
        fields=(
            ("Account", _accounts(psbt, owners)),
            *inputs,
            *_outputs(outputs),
            *_facts(spending, vsize),
            *unsigned_fields(psbt),
        ),
        red_flags=(
            *foreign,
            *spending.doubts,
            *(flag for each in outputs for flag in each.flags),
            *fee_flags(spending, outputs, vsize),
            *standard_flags(psbt.transaction, vsize),
            *lock_flags(psbt.transaction, horizon),
            *hash_type_flags(spending),
        ),
        digest=hashlib.sha256(data).digest(),
        flow=_flow(spending, owners, outputs),
    )


def _action(others: tuple[Payee, ...]) -> str:
    """Return a name that says how many payees there are."""
    payees = {each.output.script for each in others if each.data is None}
    if len(payees) > 1:
        return f"Transfer to {len(payees)} payees"
    return "Transfer" if others else "Move to own account"


def _owners(spending: Spending, keys: PublicKeys) -> tuple[Own | None, ...]:
    """Return the place that each input spends from, None for an input of others."""
    pairs = zip(spending.psbt.inputs, spending.spent, strict=True)
    return tuple(own_input(fields, output.script, keys) for fields, output in pairs)


def _flow(
    spending: Spending, owners: tuple[Own | None, ...], outputs: tuple[Payee, ...]
) -> CoinFlow | None:
    """Return what the first coin's account loses, its part of the fee included.

    Coins and change of the wallet's other account are no part of it.
    """
    first = owners[0]
    if first is None:
        return None
    pairs = zip(owners, spending.spent, strict=True)
    spent = sum(coin.amount for own, coin in pairs if own and own.account == first.account)
    kept = sum(
        each.output.amount for each in outputs if each.own and each.own.account == first.account
    )
    return CoinFlow(out=max(spent - kept, 0), back=max(kept - spent, 0), pays_fee=False)


def _payer(spending: Spending, owners: tuple[Own | None, ...], keys: PublicKeys) -> bytes:
    """Return the first receiving script of the first coin's account.

    The first coin's own script if some coins are of others.
    """
    first = owners[0]
    if first is None or None in owners:
        return spending.spent[0].script
    return script_at(first.account, keys, KeyPosition(RECEIVE, 0))


def _accounts(psbt: Psbt, owners: tuple[Own | None, ...]) -> str:
    """Return the labels of the accounts that are spent from, in the order of the inputs."""
    labels = dict.fromkeys(own.account.label for own in owners if own)
    return " and ".join(labels) or claimed_account(psbt.inputs).label


def _inputs(
    spending: Spending, owners: tuple[Own | None, ...], network: Network
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    psbt = spending.psbt
    fields: list[tuple[str, str]] = []
    flags: list[str] = []
    parts = zip(psbt.transaction.inputs, psbt.inputs, spending.spent, owners, strict=True)
    for number, (spender, entries, output, own) in enumerate(parts, start=1):
        if own is None:
            flags.append(f"Input {number} is not of this wallet")
            owner = address_of(output.script, network) or shown_script(output.script)
        else:
            owner = own.path
        told = f"{spender.outpoint.text}, {coins(output.amount)}, {owner}"
        if spender.sequence != REPLACEABLE_SEQUENCE:
            told += f", sequence {spender.sequence:#010x}"
        hash_type = value_of(entries, In.SIGHASH_TYPE)
        if hash_type is not None:
            told += f", hash type {int.from_bytes(hash_type, 'little'):#x}"
        fields.append((f"Input {number}", told))
    return tuple(fields), tuple(flags)


def _outputs(outputs: tuple[Payee, ...]) -> tuple[tuple[str, str], ...]:
    numbered = enumerate(outputs, start=1)
    return tuple((each.label(number), each.words()) for number, each in numbered)


def _facts(spending: Spending, vsize: int) -> tuple[tuple[str, str], ...]:
    transaction = spending.psbt.transaction
    facts = [
        ("Fee rate", rate_text(spending.fee, vsize)),
        ("Size", f"{vsize} vB"),
        ("Replaceable", "yes" if signals_replacement(transaction) else _NOT_SIGNALLED),
        ("Version", str(transaction.version)),
    ]
    lock = transaction.locktime
    if lock:
        by_time = lock >= LOCKTIME_IS_TIME
        facts.append(
            ("Not before", date_text(lock)) if by_time else ("Not before block", str(lock + 1))
        )
        if is_unlocked(transaction):
            facts.append(("Lock", "switched off by the inputs' final sequence numbers"))
    if not relays_everywhere(tuple(each.script for each in transaction.outputs)):
        facts.append(("Data", "nodes before Bitcoin Core 30 do not relay so much"))
    return tuple(facts)
