"""A cluster's accounts and transactions, in a node's JSON."""

import base64
from collections.abc import Callable

from solders.account import Account

from console.devnet.solana.runtime import Record
from console.devnet.solana.tokens import TokenHolding


def account_json(account: Account | None) -> object:
    """Return an account, its data in base64."""
    if account is None or not account.lamports:
        return None
    return {
        "lamports": account.lamports,
        "owner": str(account.owner),
        "data": [base64.b64encode(account.data).decode(), "base64"],
        "executable": account.executable,
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def status_json(record: Record | None) -> object:
    """Return the status of a signature."""
    if record is None:
        return None
    return {
        "slot": record.slot,
        "confirmations": None,
        "err": record.error,
        "status": {"Ok": None} if record.error is None else {"Err": record.error},
        "confirmationStatus": "finalized",
    }


def summary_json(record: Record) -> object:
    """Return a line of an account's history."""
    return {
        "signature": record.signature,
        "slot": record.slot,
        "err": record.error,
        "memo": None,
        "blockTime": record.time_s,
        "confirmationStatus": "finalized",
    }


def transaction_json(record: Record, decimals: Callable[[str], int]) -> object:
    """Return a transaction with its balances; `decimals` returns those of a mint."""
    return {
        "slot": record.slot,
        "blockTime": record.time_s,
        "transaction": {
            "signatures": [record.signature],
            "message": {"accountKeys": list(record.accounts)},
        },
        "meta": {
            "err": record.error,
            "fee": record.fee,
            "preBalances": [before for before, _ in record.lamports],
            "postBalances": [after for _, after in record.lamports],
            "preTokenBalances": _tokens([held for held, _ in record.tokens], decimals),
            "postTokenBalances": _tokens([held for _, held in record.tokens], decimals),
        },
    }


def _tokens(holdings: list[TokenHolding | None], decimals: Callable[[str], int]) -> list[object]:
    return [
        {
            "accountIndex": index,
            "mint": held.mint,
            "owner": held.owner,
            "uiTokenAmount": {"amount": str(held.amount), "decimals": decimals(held.mint)},
        }
        for index, held in enumerate(holdings)
        if held
    ]
