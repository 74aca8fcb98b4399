"""The outputs that a PSBT spends, taken from the transactions that made them.

A signature of BIP 143 covers only its own input's amount. A node that lies twice about amounts
could have the difference paid as a fee (CVE-2020-14199). The hash of each previous transaction
proves its outputs. Taproot inputs need none: their signature covers all amounts (BIP 341).
"""

from dataclasses import dataclass

from console.adapters.chains.bitcoin.limits import MAX_MONEY
from console.adapters.chains.bitcoin.metadata import check_unsigned
from console.adapters.chains.bitcoin.psbt import Psbt, parse_psbt
from console.adapters.chains.bitcoin.psbt_fields import Global, In
from console.adapters.chains.bitcoin.psbt_map import Fields, value_of
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.second_reading import confirm_reading
from console.adapters.chains.bitcoin.transaction import (
    Transaction,
    TxIn,
    TxOut,
    is_nothing,
    parse_output,
    parse_transaction,
)
from console.adapters.chains.bitcoin.wire import sha256d
from console.application.errors import UnknownTransaction

_MISSING = "the transaction that made it is missing: its amount is not proven"
_ANOTHER = "the transaction that made it has another hash: its amount is not proven"


@dataclass(frozen=True, slots=True, eq=False)
class _Proof:
    """A transaction that an input brings; `is_bare` where no signatures come with it.

    It may be as large as the PSBT, so it is never compared, nor encoded again, for each input.
    """

    hash: bytes
    outputs: tuple[TxOut, ...]
    is_bare: bool


@dataclass(frozen=True, slots=True)
class Spending:
    """A PSBT with the outputs that it spends, in order, and the doubts about their proofs."""

    psbt: Psbt
    spent: tuple[TxOut, ...]
    doubts: tuple[str, ...]

    @property
    def fee(self) -> int:
        """The fee in satoshis."""
        paid = sum(each.amount for each in self.psbt.transaction.outputs)
        return sum(each.amount for each in self.spent) - paid


def parse_spending(data: bytes) -> Spending:
    """Return a version 0 PSBT that two parsers read, with what it spends.

    Raises: UnknownTransaction.
    """
    psbt = parse_psbt(data)
    if psbt.version:
        raise UnknownTransaction("only PSBTs of version 0 are signed here")
    check_unsigned(psbt)
    transaction = psbt.transaction
    if not transaction.inputs or not transaction.outputs:
        raise UnknownTransaction("a transaction has at least one input and one output")
    confirm_reading(value_of(psbt.globals, Global.UNSIGNED_TX) or b"", transaction)
    outpoints = [each.outpoint for each in transaction.inputs]
    if len(set(outpoints)) < len(outpoints) or any(map(is_nothing, outpoints)):
        raise UnknownTransaction("a coin is spent twice, or is none")
    brought = _proofs(psbt)
    # One proves all of its outputs, so a second coin of it needs no second copy.
    makers = {each.hash: each for each in brought if each}
    spent: list[TxOut] = []
    doubts: list[str] = []
    parts = zip(transaction.inputs, psbt.inputs, brought, strict=True)
    for number, (spender, fields, own) in enumerate(parts, start=1):
        output, doubt = _spent(spender, fields, own or makers.get(spender.outpoint.txid))
        spent.append(output)
        doubts += [f"Input {number}: {doubt}"] if doubt else []
    spending = Spending(psbt, tuple(spent), tuple(doubts))
    if sum(each.amount for each in spent) > MAX_MONEY:
        raise UnknownTransaction("the inputs are more than all coins there are")
    if spending.fee < 0:
        raise UnknownTransaction("the transaction pays out more than it takes in")
    return spending


def previous_transactions(psbt: Psbt) -> tuple[Transaction | None, ...]:
    """Return the transaction that each input brings as its proof. Raises: UnknownTransaction."""
    told = (value_of(fields, In.NON_WITNESS_UTXO) for fields in psbt.inputs)
    return tuple(None if data is None else parse_transaction(data) for data in told)


def _proofs(psbt: Psbt) -> tuple[_Proof | None, ...]:
    """Return what each input brings, encoded and hashed once. Raises: UnknownTransaction."""
    proofs: list[_Proof | None] = []
    for fields, made in zip(psbt.inputs, previous_transactions(psbt), strict=True):
        if made is None:
            proofs.append(None)
            continue
        bare = made.encode_stripped()
        is_bare = value_of(fields, In.NON_WITNESS_UTXO) == bare
        proofs.append(_Proof(sha256d(bare), made.outputs, is_bare=is_bare))
    return tuple(proofs)


def _spent(spender: TxIn, fields: Fields, proof: _Proof | None) -> tuple[TxOut, str]:
    """Return the output, and a doubt or "". Raises: UnknownTransaction if no field has it.

    `proof`: what the input brings, else what another input brings for the same coin's maker.
    """
    proven, doubt = _proven(spender, fields, proof)
    told = value_of(fields, In.WITNESS_UTXO)
    claimed = None if told is None else parse_output(told)
    if proven is None:
        if claimed is None:
            raise UnknownTransaction("an input's amount is not known")
        # A Taproot signature covers the amounts and scripts of all inputs (BIP 341): after a lie
        # about one, it fits no transaction.
        covered = doubt == _MISSING and kind_of(claimed.script) is ScriptKind.P2TR
        return claimed, "" if covered else doubt
    if claimed is None:
        doubt = "the spent output stands only in its transaction"
    elif claimed != proven:
        doubt = "its amount or script is another than in the transaction that made it"
    return proven, doubt


def _proven(spender: TxIn, fields: Fields, proof: _Proof | None) -> tuple[TxOut | None, str]:
    if proof is None:
        return None, _MISSING
    if proof.hash != spender.outpoint.txid:
        return None, _ANOTHER
    if spender.outpoint.index >= len(proof.outputs):
        return None, "the transaction that made it has no such output"
    # No txid covers witnesses, so they could be altered unseen in what is approved.
    extra = not proof.is_bare and value_of(fields, In.NON_WITNESS_UTXO) is not None
    doubt = "the transaction that made it carries signatures, which nothing proves" if extra else ""
    return proof.outputs[spender.outpoint.index], doubt
