"""Node refusals, translated to the product's errors."""

from console.application.errors import (
    CoinSpent,
    FeeTooLow,
    TransactionError,
    TransactionRejected,
)


def failure(text: str) -> TransactionError:
    """Return the error for a refusal in Bitcoin Core's words."""
    if "missingorspent" in text:
        return CoinSpent("a coin that it spends is gone; propose it again")
    if "txn-mempool-conflict" in text:
        return TransactionRejected("a transaction that waits spends one of its coins")
    if "insufficient fee" in text or "fee not met" in text:
        return FeeTooLow(f"the fee is too low: {text}")
    return TransactionRejected(f"the chain refused it: {text}")
