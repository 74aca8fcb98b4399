"""The outputs of a transaction in words: payments to others, change, data."""

from dataclasses import dataclass

from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.ownership import Own, is_claimed, own_output
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_map import Fields
from console.adapters.chains.bitcoin.script import (
    ScriptKind,
    can_be_spent,
    data_of,
    dust_limit,
    kind_of,
)
from console.adapters.chains.bitcoin.text import coins, shown_data, shown_script
from console.adapters.chains.bitcoin.transaction import TxOut
from console.application.ports.chain import PublicKeys
from console.domain.values import Network


@dataclass(frozen=True, slots=True)
class Payee:
    """One output in words; `own` is set if it is the wallet's own."""

    output: TxOut
    address: str
    own: Own | None
    data: str | None
    flags: tuple[str, ...]

    def words(self) -> str:
        """Return amount and destination, or the data."""
        if self.data is not None:
            return self.data
        where = self.address or shown_script(self.output.script)
        path = f" ({self.own.path})" if self.own else ""
        return f"{coins(self.output.amount)} to {where}{path}"

    def label(self, number: int) -> str:
        """Return the output's label; `number` counts from 1."""
        if self.data is not None:
            return f"Output {number}, data"
        if self.own is None:
            return f"Output {number}, payment"
        return f"Output {number}, {'change' if self.own.is_change else 'own account'}"


def payees(psbt: Psbt, keys: PublicKeys, network: Network) -> tuple[Payee, ...]:
    """Return every output in order."""
    pairs = zip(psbt.transaction.outputs, psbt.outputs, strict=True)
    return tuple(
        _payee(number, output, fields, own_output(fields, output.script, keys), network)
        for number, (output, fields) in enumerate(pairs, start=1)
    )


def _payee(number: int, output: TxOut, fields: Fields, own: Own | None, network: Network) -> Payee:
    kind = kind_of(output.script)
    flags: tuple[str, ...] = ()
    if is_claimed(fields) and own is None:
        flags += (f"Output {number} is claimed as the wallet's own and is not",)
    if output.amount < dust_limit(output.script):
        flags += (f"Output {number} is dust: too small to be worth spending",)
    if kind is ScriptKind.DATA and output.amount:
        flags += (f"Output {number} destroys {coins(output.amount)}",)
    if kind in {ScriptKind.UNKNOWN, ScriptKind.FUTURE}:
        flags += (f"Output {number} pays to a script that is not understood",)
    if not can_be_spent(output.script):
        flags += (
            f"Output {number} pays to a Taproot key that does not exist: nobody can spend it",
        )
    address = address_of(output.script, network) or ""
    return Payee(output, address, own, _data(output.script, kind), flags)


def _data(script: bytes, kind: ScriptKind) -> str | None:
    """Return a data output's content: its text or bytes, or the script if it is not one push."""
    if kind is not ScriptKind.DATA:
        return None
    data = data_of(script)
    return shown_script(script) if data is None else shown_data(data)
