"""What a node's refusal means, in the product's own families of errors."""

from console.application.errors import (
    CoinSpent,
    FeeTooLow,
    TransactionError,
    TransactionRejected,
)


def failure(text: str) -> TransactionError:
    """Return the error that Bitcoin Core's words of a refusal stand for."""
    if "missingorspent" in text:
        return CoinSpent("a coin that it spends is gone; make it again")
    if "txn-mempool-conflict" in text:
        return TransactionRejected("a transaction that waits spends one of its coins")
    if "insufficient fee" in text or "fee not met" in text:
        return FeeTooLow(f"the fee is too low: {text}")
    return TransactionRejected(f"the chain refused it: {text}")
