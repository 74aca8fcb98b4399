"""Regtest in one process: Core's own validation, with the devnet's mempool and faucet."""

import itertools
import time
from collections.abc import Sequence

from bitcoin.core import CBlock, CTransaction, CTxOut, b2lx
from bitcoin.core.script import CScript

from console.devnet.bitcoin.addresses import script_of
from console.devnet.bitcoin.blocks import BlockPosition, make_block, subsidy
from console.devnet.bitcoin.faucet import Faucet
from console.devnet.bitcoin.index import ChainIndex, Coin, Outpoint, Placed
from console.devnet.bitcoin.kernel import BlockRefused, Kernel
from console.devnet.bitcoin.mempool import COINBASE_MATURITY, Entry, Mempool
from console.devnet.bitcoin.policy import PolicyRefused, decoded

FIRST_BLOCKS = 120
"""So many that twenty rewards of the first blocks may be spent: 1000 bitcoin."""
MAX_BLOCKS_AT_ONCE = 500
MAX_REORG = 50
_ALREADY_IN_CHAIN = -27


class BitcoinDevnet:
    """One chain; an accepted transaction is mined immediately, unless `automine` is off.

    `close` removes its files.
    """

    def __init__(self, faucet: Faucet | None = None) -> None:
        self._kernel = Kernel()
        self._faucet = faucet or Faucet()
        self._marks = itertools.count(1)
        self.automine = True
        self.chain = ChainIndex(CBlock.deserialize(self._kernel.genesis()))
        self.mempool = Mempool(self._kernel, self.chain)
        try:
            self.mine(FIRST_BLOCKS)
        except BaseException:  # Leave no directory behind, for any failure.
            self.close()
            raise

    def close(self) -> None:
        """Remove the chain's directory. Repeating is harmless."""
        self._kernel.close()

    def send(self, raw: bytes) -> bytes:
        """Accept a transaction and return its id. Raises: TransactionRefused."""
        transaction = decoded(raw)
        txid: bytes = transaction.GetTxid()
        if any((txid, number) in self.chain.coins for number in range(len(transaction.vout))):
            raise PolicyRefused("Transaction already in block chain", _ALREADY_IN_CHAIN)
        self.mempool.admit(transaction)
        if self.automine:
            self.mine(1)
        return txid

    def fund(self, address: str, sats: int) -> bytes:
        """Pay from the faucet; return the transaction's id. Raises: ValueError."""
        script = script_of(address)
        if script is None:
            raise ValueError("not an address of regtest")
        coins = [
            (outpoint, coin)
            for outpoint, coin in self._coins_of(self._faucet.script)
            if not coin.coinbase or self.chain.height + 1 - (coin.height or 0) >= COINBASE_MATURITY
        ]
        gift = self._faucet.payment(CTxOut(sats, CScript(script)), coins)
        try:
            return self.send(gift.serialize())
        except PolicyRefused as refusal:
            raise ValueError(f"the faucet cannot pay that: {refusal}") from None

    def mine(self, blocks: int) -> None:
        """Mine blocks; the first of them holds all waiting transactions. Raises: ValueError."""
        if not 0 < blocks <= MAX_BLOCKS_AT_ONCE:
            raise ValueError(f"between 1 and {MAX_BLOCKS_AT_ONCE} blocks")
        for _ in range(blocks):
            entries = tuple(self.mempool.entries.values())
            parent = self.chain.blocks[-1].GetHash()
            block = self._made(parent, self.chain.height + 1, entries)
            self._kernel.submit(block.serialize())
            self._follow(block)

    def reorg(self, depth: int) -> None:
        """Replace the newest blocks by one more, all empty; their transactions wait again.

        Raises: ValueError.
        """
        if not 0 < depth <= min(MAX_REORG, self.chain.height):
            raise ValueError(f"between 1 and {MAX_REORG} blocks")
        undone = [self.chain.disconnect() for _ in range(depth)]
        for _ in range(depth + 1):
            block = self._made(self.chain.blocks[-1].GetHash(), self.chain.height + 1, ())
            self._kernel.submit(block.serialize())
            self.chain.connect(block)
        self._check_tip()
        returned = [transaction for block in reversed(undone) for transaction in block.vtx[1:]]
        self.mempool.start_again(returned)

    def find(self, txid: bytes) -> Placed | Entry | None:
        """Return a transaction of the chain or the mempool."""
        return self.chain.placed.get(txid) or self.mempool.entries.get(txid)

    def unspent(self, script: bytes) -> list[tuple[Outpoint, Coin]]:
        """Return the coins of a script that no transaction spends, in a block or waiting."""
        return list(self._coins_of(script))

    def _coins_of(self, script: bytes) -> list[tuple[Outpoint, Coin]]:
        found = []
        for txid in (*self.chain.touching(script), *self.mempool.touching(script)):
            transaction = _transaction(self.find(txid))
            for number, output in enumerate(transaction.vout):
                outpoint = (txid, number)
                coin = self.chain.coins.get(outpoint) or self.mempool.coin(outpoint)
                free = coin is not None and outpoint not in self.mempool.spenders
                if coin is not None and free and bytes(output.scriptPubKey) == script:
                    found.append((outpoint, coin))
        return found

    def _made(self, parent: bytes, height: int, entries: Sequence[Entry]) -> CBlock:
        now = max(int(time.time()), self.chain.median_time_past(self.chain.height) + 1)
        reward = subsidy(height) + sum(entry.fee for entry in entries)
        transactions = [entry.transaction for entry in entries]
        place = BlockPosition(parent, height, now)
        return make_block(place, transactions, reward, self._faucet.script, next(self._marks))

    def _follow(self, block: CBlock) -> None:
        self.chain.connect(block)
        self._check_tip()
        self.mempool.follow(block.vtx[1:])

    def _check_tip(self) -> None:
        """Check that the index and the kernel have the same tip."""
        ours = self.chain.blocks[-1].GetHash()
        if (self._kernel.height, self._kernel.tip()) != (self.chain.height, ours):
            raise BlockRefused(f"block {b2lx(ours)} is not the kernel's newest")


def _transaction(found: Placed | Entry | None) -> CTransaction:
    if found is None:
        raise LookupError("a transaction that the index names is not there")
    return found.transaction
