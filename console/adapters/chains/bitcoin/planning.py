"""Planning: coins, their proofs and fees from the network, and the PSBT made of them."""

import secrets
from dataclasses import replace

from console.adapters.chains.bitcoin.accelerating import (
    MAX_WAITING,
    Waiting,
    accelerate,
    weighed,
)
from console.adapters.chains.bitcoin.accounts import CHANGE, KeyPosition
from console.adapters.chains.bitcoin.build import OwnCoin, SpendingDraft, Wallet, spending_cost
from console.adapters.chains.bitcoin.importing import (
    ProofsTooLarge,
    parse_foreign,
    previous_of,
    with_previous,
    within_limits,
)
from console.adapters.chains.bitcoin.limits import MAX_INPUTS, MAX_MONEY
from console.adapters.chains.bitcoin.meaning import payees
from console.adapters.chains.bitcoin.metadata import without_unsigned
from console.adapters.chains.bitcoin.node import BitcoinNode
from console.adapters.chains.bitcoin.ownership import own_input
from console.adapters.chains.bitcoin.replacing import coins_of
from console.adapters.chains.bitcoin.signing import signed_vsize
from console.adapters.chains.bitcoin.sources import FEE_TARGETS, Sources
from console.adapters.chains.bitcoin.spending import parse_spending, previous_transactions
from console.adapters.chains.bitcoin.text import coins as shown_coins
from console.adapters.chains.bitcoin.transaction import Transaction, parse_transaction
from console.adapters.chains.bitcoin.watching import FoundCoin, Watcher
from console.application.errors import (
    ChainUnavailable,
    InsufficientFunds,
    TransactionError,
    UnknownTransaction,
)
from console.application.ports.chain import (
    AccelerateIntent,
    BuiltTransaction,
    FeeLevel,
    PublicKeys,
    ReplaceIntent,
    TransferIntent,
)
from console.domain.errors import NotYetPossible

RATE_CAP = 500_000
"""The highest fee rate that is offered, in satoshis for 1000 virtual bytes."""
LOWEST_RATE = 1_000
_TARGETS = dict(zip((FeeLevel.FAST, FeeLevel.NORMAL, FeeLevel.ECONOMY), FEE_TARGETS, strict=True))


class Planner:
    """Builds PSBTs from intents, on the node's network."""

    def __init__(self, sources: Sources, watcher: Watcher, node: BitcoinNode) -> None:
        self._sources = sources
        self._watcher = watcher
        self._node = node
        self._ready = node.check_network

    async def transfer(
        self, intent: TransferIntent, wallet: Wallet, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Return a payment of an amount, or of all confirmed coins.

        Raises: InvalidAddress, TransactionError, InsufficientFunds, ChainUnavailable,
        NotYetPossible.
        """
        if intent.asset:
            raise NotYetPossible("Bitcoin has no tokens here")
        if intent.memo:
            raise TransactionError("a transfer of bitcoin carries no memo; leave it empty")
        if intent.everything:
            return await self._sweep(intent, wallet, reserved)
        if not 0 < intent.amount <= MAX_MONEY:
            raise TransactionError("the amount must be above zero and below all coins there are")
        draft = SpendingDraft(wallet).pay(intent.to_address, intent.amount)
        return await self._funded(draft, await self._rate(intent.fee_level), reserved)

    async def replacement(
        self, intent: ReplaceIntent, wallet: Wallet, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Return a replacement: it spends the same coins, and others if the fee needs them.

        Raises: TransactionError, UnknownTransaction, ChainUnavailable.
        """
        spending = parse_spending(intent.transaction)
        outputs = payees(spending.psbt, wallet.keys, wallet.network)
        payments = () if intent.cancel else tuple(p.output for p in outputs if p.own is None)
        if not payments and not intent.cancel:
            raise TransactionError("it pays nobody else: cancel it instead")
        draft = replace(SpendingDraft(wallet), payments=payments).outbid(
            spending.fee, signed_vsize(spending)
        )
        seen = {each.hash: each for each in previous_transactions(spending.psbt) if each}
        for spender, fields, output in zip(
            spending.psbt.transaction.inputs, spending.psbt.inputs, spending.spent, strict=True
        ):
            own = own_input(fields, output.script, wallet.keys)
            if own is None:
                raise TransactionError("the transaction spends coins that are not this wallet's")
            txid = spender.outpoint.txid
            if txid not in seen:
                await self._ready()
                seen[txid] = await self._transaction(txid)
            made = OwnCoin(seen[txid], spender.outpoint.index, own.place, own.account)
            draft = draft.spend(made)
        held = reserved | coins_of(spending)
        return await self._funded(draft, await self._rate(intent.fee_level), held)

    async def acceleration(
        self, intent: AccelerateIntent, wallet: Wallet, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Return a child of an unconfirmed transaction, whose fee pays for both.

        Raises: TransactionError, ChainUnavailable.
        """
        await self._ready()
        coins = [
            await self._watcher.own_coin(coin)
            for coin in await self._watcher.coins(wallet)
            if coin.unspent.height is None
            and coin.unspent.txid == intent.transaction_id
            and _name(coin) not in reserved
        ]
        if not coins:
            raise TransactionError("no coin of this account waits for that transaction")
        waiting = await self._waiting(coins[0].previous)
        rate = await self._rate(intent.fee_level)
        draft = accelerate(wallet, tuple(coins), waiting, rate)
        spent = frozenset(f"utxo:{coin.outpoint}" for coin in coins)
        return await self._funded(draft, rate, reserved | spent, waiting_too=False)

    async def imported(self, data: bytes, keys: PublicKeys) -> BuiltTransaction:
        """Return a PSBT of another program with proofs, and without what concerns others only.

        Raises: TransactionError, ChainUnavailable.
        """
        try:
            psbt = parse_foreign(data)
            seen: dict[bytes, Transaction] = {}
            for number, spender in enumerate(psbt.transaction.inputs):
                txid = spender.outpoint.txid
                previous = previous_of(psbt, number) or seen.get(txid)
                if previous is None:
                    await self._ready()
                    previous = await self._transaction(txid)
                psbt = with_previous(psbt, number, previous, proven=txid in seen)
                seen[txid] = previous
            inputs = psbt.transaction.inputs
            spent = tuple(seen[i.outpoint.txid].outputs[i.outpoint.index] for i in inputs)
            data = within_limits(without_unsigned(psbt, spent, keys))
            return BuiltTransaction(data, parse_spending(data).fee, None)
        except UnknownTransaction as error:
            raise TransactionError(f"this PSBT cannot be signed here: {error}") from None

    async def _sweep(
        self, intent: TransferIntent, wallet: Wallet, reserved: frozenset[str]
    ) -> BuiltTransaction:
        await self._ready()
        rate = await self._rate(intent.fee_level)
        least = spending_cost(wallet.account, rate)
        settled = [coin for coin in await self._coins(wallet, reserved) if _is_settled(coin)]
        found = [coin for coin in settled if coin.unspent.value > least]
        height = await self._node.tip_height()
        own = await self._watcher.spendable(found, height)
        if len(own) < len(found) and len(own) < MAX_INPUTS:
            raise TransactionError("some coins cannot be spent yet: wait, or send an amount")
        if len(found) > MAX_INPUTS:
            raise TransactionError(f"more than {MAX_INPUTS} coins: send an amount first")
        draft = SpendingDraft(wallet).sweep(intent.to_address).offer(*own)
        draft = draft.rate(rate).at(height).seed(secrets.randbits(64))
        built = _quoted(draft.build(await self._watcher.next_change(wallet)))
        dust = [coin for coin in settled if coin.unspent.value <= least]
        return replace(built, notes=_left_out(dust))

    async def _funded(
        self, draft: SpendingDraft, rate: int, reserved: frozenset[str], *, waiting_too: bool = True
    ) -> BuiltTransaction:
        """Build from confirmed coins; with unconfirmed change only if they do not suffice."""
        await self._ready()
        found = await self._coins(draft.wallet, reserved)
        change = await self._watcher.next_change(draft.wallet)
        height = await self._node.tip_height()
        draft = draft.rate(rate).at(height).seed(secrets.randbits(64))
        settled = list(filter(_is_settled, found))
        try:
            return _quoted(await self._built(draft, settled, change))
        except InsufficientFunds:
            if len(settled) == len(found) or not waiting_too:
                raise
            return _quoted(await self._built(draft, found, change))

    async def _coins(self, wallet: Wallet, reserved: frozenset[str]) -> list[FoundCoin]:
        """Return unreserved coins: confirmed ones, and unconfirmed change.

        Unconfirmed coins of others are not spent: their senders could replace them.
        """
        return [
            coin
            for coin in await self._watcher.coins(wallet)
            if _name(coin) not in reserved and (_is_settled(coin) or coin.place.chain == CHANGE)
        ]

    async def _built(
        self, draft: SpendingDraft, coins: list[FoundCoin], change: KeyPosition
    ) -> bytes:
        """Build with coins whose proofs fit into one PSBT; the largest proofs are omitted."""
        own = await self._watcher.spendable(coins, draft.height)
        trouble: ProofsTooLarge | None = None
        while True:
            try:
                return draft.offer(*own).build(change)
            except ProofsTooLarge as large:
                if not own:
                    raise
                trouble = large
                own = sorted(own, key=lambda coin: coin.proof_bytes)[: len(own) * 9 // 10]
            except InsufficientFunds:
                if trouble:
                    raise trouble from None
                raise

    async def _rate(self, level: FeeLevel) -> int:
        await self._ready()
        rate = max((await self._sources.fee_estimates())[_TARGETS[level]], LOWEST_RATE)
        if rate > RATE_CAP:
            raise TransactionError("the network's fees are above the limit of 500 sat/vB; wait")
        return rate

    async def _waiting(self, first: Transaction) -> list[Waiting]:
        """Return an unconfirmed transaction and its unconfirmed ancestors, with their fees."""
        found: dict[bytes, Waiting] = {}
        left = [first]
        while left:
            transaction = left.pop()
            if transaction.hash in found:
                continue
            if len(found) == MAX_WAITING:
                raise TransactionError("too many transactions wait for one another")
            previous = [await self._transaction(each.outpoint.txid) for each in transaction.inputs]
            found[transaction.hash] = weighed(transaction, previous)
            for each in previous:
                standing = await self._sources.status(each.txid)
                if standing is None or standing.height is None:
                    left.append(each)
        return list(found.values())

    async def _transaction(self, txid: bytes) -> Transaction:
        """Return a transaction by its hash. Raises: ChainUnavailable."""
        raw = await self._sources.raw_transaction(txid[::-1].hex())
        try:
            return parse_transaction(raw)
        except UnknownTransaction:
            raise ChainUnavailable("the Bitcoin node answers no proper transaction") from None


def _is_settled(coin: FoundCoin) -> bool:
    return coin.unspent.height is not None


def _name(coin: FoundCoin) -> str:
    return f"utxo:{coin.unspent.txid}:{coin.unspent.number}"


def _left_out(coins: list[FoundCoin]) -> tuple[str, ...]:
    """Say which coins a sweep leaves, because each would cost more than it brings."""
    if not coins:
        return ()
    number = "1 coin stays" if len(coins) == 1 else f"{len(coins)} coins stay"
    worth = shown_coins(sum(coin.unspent.value for coin in coins))
    why = "at this fee, spending costs more than it brings"
    return (f"{number} in the account, {worth} in all: {why}.",)


def _quoted(data: bytes) -> BuiltTransaction:
    return BuiltTransaction(data, parse_spending(data).fee, None)
