"""An account's newest movements, from a node's lists: for show, never for a decision."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

from solders.pubkey import Pubkey

from console.adapters.chains.solana.answers import (
    SignatureEntry,
    TokenBalance,
    TransactionAnswer,
)
from console.adapters.chains.solana.fees import DECIMALS, UNIT
from console.adapters.chains.solana.node import COMMITMENT, SolanaNode
from console.application.ports.chain import Asset, Movement

MOST_TRANSACTIONS: Final = 10


async def movements(
    node: SolanaNode, account: Pubkey, assets: Mapping[str, Asset]
) -> tuple[Movement, ...]:
    """Return the amounts of the newest transactions, newest first. Raises: ChainUnavailable."""
    options = {**COMMITMENT, "limit": MOST_TRANSACTIONS}
    entries = await node.told(
        "getSignaturesForAddress", [str(account), options], list[SignatureEntry]
    )
    entries = entries[:MOST_TRANSACTIONS]
    details = await asyncio.gather(*(_transaction(node, entry.signature) for entry in entries))
    return tuple(
        movement
        for entry, detail in zip(entries, details, strict=True)
        if detail
        for movement in _moved(entry, detail, str(account), assets)
    )


async def _transaction(node: SolanaNode, signature: str) -> TransactionAnswer | None:
    options = {**COMMITMENT, "encoding": "json", "maxSupportedTransactionVersion": 0}
    return await node.found("getTransaction", [signature, options], TransactionAnswer)


def _moved(
    entry: SignatureEntry, detail: TransactionAnswer, account: str, assets: Mapping[str, Asset]
) -> Iterator[Movement]:
    meta, keys = detail.meta, detail.transaction.message.account_keys
    if meta is None:
        return
    at_ms = None if entry.block_time is None else entry.block_time * 1000
    # Accounts of lookup tables follow the listed ones, and are not the wallet's.
    for key, before, after in zip(keys, meta.pre_balances, meta.post_balances, strict=False):
        if key == account and before != after:
            yield Movement(
                transaction_id=entry.signature,
                amount=after - before,
                unit=UNIT,
                decimals=DECIMALS,
                block=entry.slot,
                at_ms=at_ms,
            )
    for mint, asset in assets.items():
        before = _held(meta.pre_token_balances, account, mint)
        after = _held(meta.post_token_balances, account, mint)
        if before != after:
            moved = after - before
            yield Movement(
                transaction_id=entry.signature,
                amount=moved,
                unit=asset.unit,
                decimals=asset.decimals,
                block=entry.slot,
                at_ms=at_ms,
            )


def _held(balances: list[TokenBalance] | None, owner: str, mint: str) -> int:
    return sum(
        int(balance.ui_token_amount.amount)
        for balance in balances or ()
        if (balance.owner, balance.mint) == (owner, mint)
    )
