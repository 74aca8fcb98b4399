"""The outputs of a transaction in words: payments to others, change, data."""

from dataclasses import dataclass

from console.adapters.chains.bitcoin.accounts import CHANGE, KeyPosition, base_path
from console.adapters.chains.bitcoin.address import address_of
from console.adapters.chains.bitcoin.ownership import is_claimed, own_output
from console.adapters.chains.bitcoin.psbt import Psbt
from console.adapters.chains.bitcoin.psbt_map import Fields
from console.adapters.chains.bitcoin.script import ScriptKind, data_of, dust_limit, kind_of
from console.adapters.chains.bitcoin.text import coins, shown_data, shown_script
from console.adapters.chains.bitcoin.transaction import TxOut
from console.application.ports.chain import Account, PublicKeys
from console.domain.values import Network


@dataclass(frozen=True, slots=True)
class Payee:
    """One output in words; `place` is set if it is the account's own."""

    output: TxOut
    address: str
    place: KeyPosition | None
    data: bytes | None
    flags: tuple[str, ...]

    def words(self, account: Account) -> str:
        """Return amount and destination, or the data."""
        if self.data is not None:
            return shown_data(self.data)
        where = self.address or shown_script(self.output.script)
        path = f" ({base_path(account, self.place)})" if self.place else ""
        return f"{coins(self.output.amount)} to {where}{path}"

    def label(self, number: int) -> str:
        """Return the output's label; `number` counts from 1."""
        if self.data is not None:
            return f"Output {number}, data"
        if self.place is None:
            return f"Output {number}, payment"
        return f"Output {number}, {'change' if self.place.chain == CHANGE else 'own account'}"


def payees(psbt: Psbt, account: Account, keys: PublicKeys, network: Network) -> tuple[Payee, ...]:
    """Return every output in order."""
    pairs = zip(psbt.transaction.outputs, psbt.outputs, strict=True)
    return tuple(
        _payee(number, output, fields, own_output(fields, output.script, account, keys), network)
        for number, (output, fields) in enumerate(pairs, start=1)
    )


def _payee(
    number: int, output: TxOut, fields: Fields, place: KeyPosition | None, network: Network
) -> Payee:
    kind = kind_of(output.script)
    flags: tuple[str, ...] = ()
    if is_claimed(fields) and place is None:
        flags += (f"Output {number} is claimed as the wallet's own and is not",)
    if output.amount < dust_limit(output.script):
        flags += (f"Output {number} is dust: too small to be worth spending",)
    if kind is ScriptKind.DATA and output.amount:
        flags += (f"Output {number} destroys {coins(output.amount)}",)
    if kind in {ScriptKind.UNKNOWN, ScriptKind.FUTURE}:
        flags += (f"Output {number} pays to a script that is not understood",)
    address = address_of(output.script, network) or ""
    return Payee(output, address, place, data_of(output.script), flags)
