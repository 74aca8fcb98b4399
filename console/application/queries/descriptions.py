"""Decoded transactions as text."""

import hashlib

from console.application.errors import TransactionError
from console.application.signing.transactions import Transactions
from console.application.views import DescriptionView, FieldView
from console.domain.errors import DomainError
from console.domain.events import RequestProposed
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount


def description_view(description: TransactionDescription) -> DescriptionView:
    """Return a decoded transaction as text."""
    return DescriptionView(
        chain=description.chain.value,
        network=description.network.value,
        action=description.action,
        amount=description.amount.text(),
        unit=description.amount.unit,
        from_address=description.from_address,
        to_address=description.to_address,
        fee=description.fee.text(),
        fee_unit=description.fee.unit,
        fields=tuple(FieldView(label, value) for label, value in description.fields),
        red_flags=description.red_flags,
        digest=description.digest.hex(),
    )


def described(transactions: Transactions, proposal: RequestProposed) -> TransactionDescription:
    """Return a request's description; if this node's settings no longer decode it, a red flag."""
    try:
        return transactions.describe(proposal)
    except (DomainError, TransactionError) as trouble:
        return TransactionDescription(
            chain=proposal.chain,
            network=proposal.network,
            action="Not decoded",
            from_address="",
            to_address="",
            amount=Amount(0, "not decoded", 0),
            fee=Amount(proposal.fee_ceiling, "base units", 0),
            fields=(),
            red_flags=(f"The bytes cannot be decoded here: {trouble}",),
            digest=hashlib.sha256(proposal.transaction).digest(),
        )
