"""A fluent builder of PSBTs from explicit values; it asks no node.

SpendingDraft(Wallet(SEGWIT, keys, network)).pay(address, sat).rate(5_000).offer(coins).build(place)
"""

from dataclasses import dataclass, field, replace

from console.adapters.chains.bitcoin.accounts import (
    KeyPosition,
    input_origin,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.address import script_of
from console.adapters.chains.bitcoin.coin_selection import (
    Coin,
    Costs,
    Selection,
    select,
    select_all,
)
from console.adapters.chains.bitcoin.dangers import MAX_FEE_RATE
from console.adapters.chains.bitcoin.describe import REPLACEABLE_SEQUENCE
from console.adapters.chains.bitcoin.importing import within_limits
from console.adapters.chains.bitcoin.limits import (
    MAX_INPUTS,
    MAX_MONEY,
    MAX_OUTPUTS,
)
from console.adapters.chains.bitcoin.psbt_convert import psbt_of
from console.adapters.chains.bitcoin.psbt_fields import LOCKTIME_IS_TIME, In
from console.adapters.chains.bitcoin.psbt_map import Fields
from console.adapters.chains.bitcoin.psbt_map import field as entry
from console.adapters.chains.bitcoin.script import data_script, dust_limit
from console.adapters.chains.bitcoin.shuffling import shuffled
from console.adapters.chains.bitcoin.transaction import (
    OutPoint,
    Transaction,
    TxIn,
    TxOut,
    is_nothing,
)
from console.application.errors import InsufficientFunds, TransactionError
from console.application.ports.chain import Account, PublicKeys
from console.domain.values import Network, SignatureKind

MAX_DATA_BYTES = 80
"""The most data in one output that all nodes relay."""
_VERSION = 2
_INPUT_WEIGHT = {
    SignatureKind.ECDSA_SECP256K1: 4 * 41 + 1 + 1 + 72 + 1 + 33,
    SignatureKind.SCHNORR_BIP340: 4 * 41 + 1 + 1 + 64,
}
"""Weight of an input with the largest possible signature."""
_HEAD_WEIGHT = 4 * (4 + 4 + 1 + 1) + 2
"""Weight of version, lock time, both counts, and SegWit's marker and flag."""


def spending_cost(account: Account, sat_per_kvb: int) -> int:
    """Return the satoshis that it costs to spend a coin of the account, rounded up."""
    return -(-_INPUT_WEIGHT[account.kind] * sat_per_kvb // 4000)


@dataclass(frozen=True, slots=True)
class Wallet:
    """The account whose coins are spent, its keys, and the network."""

    account: Account
    keys: PublicKeys
    network: Network


@dataclass(frozen=True, slots=True)
class OwnCoin:
    """An output of the wallet: the transaction that made it, the output's index, and its place.

    `account` is that of the place, None for the account that is spent from.
    Raises: TransactionError if the transaction has no such output.
    """

    previous: Transaction
    index: int
    place: KeyPosition
    account: Account | None = None
    outpoint: OutPoint = field(init=False, repr=False, compare=False)
    """The outpoint of the output; computed once, since the transaction may be large."""

    def __post_init__(self) -> None:
        """Check that the output exists."""
        if not 0 <= self.index < len(self.previous.outputs):
            raise TransactionError("a coin is named that its transaction does not have")
        object.__setattr__(self, "outpoint", OutPoint(self.previous.hash, self.index))

    @property
    def output(self) -> TxOut:
        """The output that is spent."""
        return self.previous.outputs[self.index]

    @property
    def is_mined(self) -> bool:
        """Whether a coinbase made it; nodes accept spending it only after 100 blocks."""
        return any(is_nothing(each.outpoint) for each in self.previous.inputs)

    @property
    def proof_bytes(self) -> int:
        """Bytes of a PSBT that the transaction that made it takes."""
        return len(self.previous.encode_stripped())


@dataclass(frozen=True, slots=True)
class SpendingDraft:
    """A transaction that is being built; each step returns a new draft. Amounts in satoshis."""

    wallet: Wallet
    payments: tuple[TxOut, ...] = ()
    required: tuple[OwnCoin, ...] = ()
    offered: tuple[OwnCoin, ...] = ()
    sat_per_kvb: int = 1_000
    least_fee: int = 0
    least_rate: int = 0
    lifted: int = 0
    swept_to: bytes = b""
    height: int = 0
    chance: int = 0

    def pay(self, address: str, satoshis: int) -> "SpendingDraft":
        """Add a payment. Raises: InvalidAddress; TransactionError if it is dust."""
        script = script_of(address, self.wallet.network)
        if satoshis > MAX_MONEY:
            raise TransactionError("the amount is more than all coins there are")
        if satoshis < dust_limit(script):
            raise TransactionError(f"nodes pass on no payment below {dust_limit(script)} satoshis")
        return replace(self, payments=(*self.payments, TxOut(satoshis, script)))

    def memo(self, data: bytes) -> "SpendingDraft":
        """Add a public data output. Raises: TransactionError."""
        if not 0 < len(data) <= MAX_DATA_BYTES:
            raise TransactionError(f"a memo has from 1 to {MAX_DATA_BYTES} bytes")
        return replace(self, payments=(*self.payments, TxOut(0, data_script(data))))

    def spend(self, *coins: OwnCoin) -> "SpendingDraft":
        """Add coins that are spent whatever else is chosen."""
        return replace(self, required=self.required + coins)

    def offer(self, *coins: OwnCoin) -> "SpendingDraft":
        """Add coins to choose from."""
        return replace(self, offered=self.offered + coins)

    def rate(self, sat_per_kvb: int) -> "SpendingDraft":
        """Set the fee for 1000 virtual bytes."""
        return replace(self, sat_per_kvb=sat_per_kvb)

    def outbid(self, fee: int, vsize: int = 0) -> "SpendingDraft":
        """Replace a transaction that pays this fee: pay it too, and 1 sat/vB more (BIP 125).

        With its `vsize`, also at a higher rate, which nodes require too.
        """
        rate = fee * 1000 // vsize + 1 if vsize else 0
        return replace(self, least_fee=fee, least_rate=rate)

    def lift(self, satoshis: int) -> "SpendingDraft":
        """Pay this much above the rate, for unconfirmed ancestors.

        Raises: TransactionError if the amount is negative.
        """
        if satoshis < 0:
            raise TransactionError("what waits lacks nothing that could be paid for it")
        return replace(self, lifted=satoshis)

    def sweep(self, address: str) -> "SpendingDraft":
        """Spend all coins that bring more than they cost, and send the rest to this address.

        Raises: InvalidAddress.
        """
        return replace(self, swept_to=script_of(address, self.wallet.network))

    def at(self, height: int) -> "SpendingDraft":
        """Set the lock time to this height: no miner gains by mining an older block again."""
        return replace(self, height=height)

    def seed(self, chance: int) -> "SpendingDraft":
        """Set the seed of the coin selection and of the order of inputs and outputs."""
        return replace(self, chance=chance)

    def build(self, change: KeyPosition) -> bytes:
        """Return the PSBT with chosen coins; the change goes to this place, unless it is a sweep.

        Raises: TransactionError, InsufficientFunds, NotYetPossible.
        """
        if not 0 <= self.height < LOCKTIME_IS_TIME:
            raise TransactionError("the height makes no sense")
        if not 0 < self.sat_per_kvb <= 1000 * MAX_FEE_RATE:
            raise TransactionError(f"the fee rate must be above 0, up to {MAX_FEE_RATE} sat/vB")
        rest = TxOut(0, self.swept_to or self._own_script(change))
        selection = self._select(rest)
        chosen = {coin.outpoint: coin for coin in (*self.offered, *self.required)}
        coins = [chosen[coin.outpoint] for coin in selection.coins]
        outputs: list[tuple[TxOut, Fields]] = [(payment, ()) for payment in self.payments]
        if selection.change:
            outputs.append((replace(rest, amount=selection.change), self._origin(change)))
        # Neither order may reveal which output is the change.
        return self._encode(
            shuffled(coins, self.chance, lambda coin: coin.outpoint.encode()),
            shuffled(outputs, self.chance, lambda pair: pair[0].encode()),
        )

    def _own_script(self, place: KeyPosition) -> bytes:
        return script_at(self.wallet.account, self.wallet.keys, place)

    def _origin(self, change: KeyPosition) -> Fields:
        """Return the fields that claim the change, none in a sweep."""
        if self.swept_to:
            return ()
        return output_origin(self.wallet.account, self.wallet.keys, change)

    def _select(self, rest: TxOut) -> Selection:
        if len(self.payments) >= MAX_OUTPUTS:
            raise TransactionError(f"at most {MAX_OUTPUTS - 1} payments fit in a transaction")
        if not self.offered and not self.required:
            raise InsufficientFunds("the account has no coins that can be spent now")
        costs, target = self._costs(rest), sum(payment.amount for payment in self.payments)
        offered, required = self._plain(self.offered), self._plain(self.required)
        if self.swept_to:
            selection = select_all(offered, target, costs, required)
        else:
            selection = select(offered, target, costs, self.chance, required)
        # A replacement or a child can need more than its own rate.
        if selection.fee > MAX_FEE_RATE * costs.vsize(selection):
            raise TransactionError(f"it would itself pay more than {MAX_FEE_RATE} sat/vB")
        return selection

    def _costs(self, rest: TxOut) -> Costs:
        base = _HEAD_WEIGHT + 4 * sum(len(payment.encode()) for payment in self.payments)
        return Costs(
            rate=max(self.sat_per_kvb, self.least_rate),
            base_weight=base,
            change_weight=4 * len(rest.encode()),
            change_spend_weight=_INPUT_WEIGHT[self.wallet.account.kind],
            dust=dust_limit(rest.script),
            max_inputs=MAX_INPUTS,
            least_fee=self.least_fee,
            least_fee_rate=1_000 if self.least_fee else 0,
            lift=self.lifted,
        )

    def _account_of(self, coin: OwnCoin) -> Account:
        return coin.account or self.wallet.account

    def _plain(self, coins: tuple[OwnCoin, ...]) -> tuple[Coin, ...]:
        """Return each coin once: a duplicate must not count twice."""
        plain = (
            Coin(coin.outpoint, coin.output.amount, _INPUT_WEIGHT[self._account_of(coin).kind])
            for coin in coins
        )
        return tuple(dict.fromkeys(plain))

    def _encode(self, coins: list[OwnCoin], outputs: list[tuple[TxOut, Fields]]) -> bytes:
        spenders = tuple(TxIn(coin.outpoint, sequence=REPLACEABLE_SEQUENCE) for coin in coins)
        transaction = Transaction(
            _VERSION, spenders, tuple(output for output, _ in outputs), self.height
        )
        seen: set[bytes] = set()
        inputs: list[Fields] = []
        for coin in coins:
            inputs.append(self._input(coin, proven=coin.outpoint.txid in seen))
            seen.add(coin.outpoint.txid)
        claims = tuple(fields for _, fields in outputs)
        return within_limits(psbt_of(transaction, tuple(inputs), claims))

    def _input(self, coin: OwnCoin, *, proven: bool) -> Fields:
        account, keys = self._account_of(coin), self.wallet.keys
        if coin.output.script != script_at(account, keys, coin.place):
            raise TransactionError("a coin is not at the place that it is said to be")
        # Without witnesses: no txid covers them, so they prove nothing. One copy proves all coins
        # of a transaction.
        whole = () if proven else (entry(In.NON_WITNESS_UTXO, coin.previous.encode_stripped()),)
        return (
            *whole,
            entry(In.WITNESS_UTXO, coin.output.encode()),
            *input_origin(account, keys, coin.place),
        )
