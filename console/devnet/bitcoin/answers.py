"""The chain in the encoding of Esplora's API (github.com/Blockstream/esplora, API.md)."""

from bitcoin.core import CTransaction, CTxIn, CTxOut, b2lx

from console.devnet.bitcoin.addresses import address_of
from console.devnet.bitcoin.index import Coin, Outpoint, Placed
from console.devnet.bitcoin.mempool import Entry
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.policy import kind_of, weight

MAX_WAITING, PAGE = 50, 25
FEE_ESTIMATES = {"1": 8.0, "2": 5.0, "3": 4.0, "6": 2.0, "25": 1.5, "144": 1.0, "1008": 1.0}
"""Confirmation target in blocks -> satoshis per virtual byte; here always the same."""


def status_view(devnet: BitcoinDevnet, height: int | None) -> dict[str, object]:
    """Return the block of a transaction, if it is in one."""
    if height is None:
        return {"confirmed": False}
    block = devnet.chain.blocks[height]
    return {
        "confirmed": True,
        "block_height": height,
        "block_hash": b2lx(block.GetHash()),
        "block_time": block.nTime,
    }


def transaction_view(devnet: BitcoinDevnet, found: Placed | Entry) -> dict[str, object]:
    """Return a transaction with what it spends."""
    transaction, spent = found.transaction, found.spent
    paid = sum(output.nValue for output in transaction.vout)
    fee = sum(coin.output.nValue for coin in spent) - paid if spent else 0
    return {
        "txid": b2lx(transaction.GetTxid()),
        "version": transaction.nVersion,
        "locktime": transaction.nLockTime,
        "vin": _inputs(transaction, spent),
        "vout": [_output_view(output) for output in transaction.vout],
        "size": len(transaction.serialize()),
        "weight": weight(transaction),
        "fee": fee,
        "status": status_view(devnet, height_of(found)),
    }


def unspent_view(devnet: BitcoinDevnet, outpoint: Outpoint, coin: Coin) -> dict[str, object]:
    """Return a coin as in `/address/:address/utxo`."""
    return {
        "txid": b2lx(outpoint[0]),
        "vout": outpoint[1],
        "status": status_view(devnet, coin.height),
        "value": coin.output.nValue,
    }


def address_view(devnet: BitcoinDevnet, address: str, script: bytes) -> dict[str, object]:
    """Return an address's sums, separately for the chain and the mempool."""
    placed = [devnet.chain.placed[txid] for txid in devnet.chain.touching(script)]
    waiting = [devnet.mempool.entries[txid] for txid in devnet.mempool.touching(script)]
    return {
        "address": address,
        "chain_stats": _sums(script, placed),
        "mempool_stats": _sums(script, waiting),
    }


def history_view(devnet: BitcoinDevnet, script: bytes) -> list[dict[str, object]]:
    """Return an address's transactions, newest first: waiting ones, then a page."""
    waiting = devnet.mempool.touching(script)[::-1][:MAX_WAITING]
    placed = devnet.chain.touching(script)[::-1][:PAGE]
    found = (devnet.find(txid) for txid in (*waiting, *placed))
    return [transaction_view(devnet, each) for each in found if each is not None]


def spending_view(devnet: BitcoinDevnet, outpoint: Outpoint) -> dict[str, object]:
    """Return whether an output is spent, and by which transaction."""
    spender = devnet.chain.spenders.get(outpoint) or devnet.mempool.spenders.get(outpoint)
    if spender is None:
        return {"spent": False}
    found = devnet.find(spender[0])
    height = height_of(found) if found else None
    return {
        "spent": True,
        "txid": b2lx(spender[0]),
        "vin": spender[1],
        "status": status_view(devnet, height),
    }


def height_of(found: Placed | Entry) -> int | None:
    """Return the block's height; None for a waiting transaction."""
    return found.height if isinstance(found, Placed) else None


def _sums(script: bytes, found: list[Placed] | list[Entry]) -> dict[str, int]:
    funded = [
        output.nValue
        for each in found
        for output in each.transaction.vout
        if bytes(output.scriptPubKey) == script
    ]
    spent = [
        coin.output.nValue
        for each in found
        for coin in each.spent
        if bytes(coin.output.scriptPubKey) == script
    ]
    return {
        "funded_txo_count": len(funded),
        "funded_txo_sum": sum(funded),
        "spent_txo_count": len(spent),
        "spent_txo_sum": sum(spent),
        "tx_count": len(found),
    }


def _inputs(transaction: CTransaction, spent: tuple[Coin, ...]) -> list[dict[str, object]]:
    witnesses = [list(each.scriptWitness) for each in transaction.wit.vtxinwit]
    return [
        _input_view(entry, witness, spent[number] if spent else None)
        for number, entry in enumerate(transaction.vin)
        for witness in [witnesses[number] if witnesses else []]
    ]


def _input_view(entry: CTxIn, witness: list[bytes], spent: Coin | None) -> dict[str, object]:
    return {
        "txid": b2lx(entry.prevout.hash),
        "vout": entry.prevout.n,
        "prevout": _output_view(spent.output) if spent else None,
        "scriptsig": bytes(entry.scriptSig).hex(),
        "witness": [item.hex() for item in witness],
        "is_coinbase": entry.prevout.is_null(),
        "sequence": entry.nSequence,
    }


def _output_view(output: CTxOut) -> dict[str, object]:
    script = bytes(output.scriptPubKey)
    view: dict[str, object] = {
        "scriptpubkey": script.hex(),
        "scriptpubkey_type": kind_of(script),
        "value": output.nValue,
    }
    address = address_of(script)
    return view | ({"scriptpubkey_address": address} if address else {})
