"""Requests that may be signed without this node knowing, and pay what another one is to pay."""

from collections.abc import Iterable, Iterator

from console.application.queries.descriptions import described
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.domain.ids import RequestId, WalletId
from console.domain.signing_request import SigningRequest
from console.domain.transaction import TransactionDescription

MOST_TOLD = 3


def twins(
    wallet: WalletId,
    description: TransactionDescription,
    transaction: bytes,
    known: Iterable[SigningRequest],
    transactions: Transactions,
    reservations: Reservations,
) -> tuple[RequestId, ...]:
    """Return requests in doubt with the same payee and amount that could be executed beside it.

    Raises: NotYetPossible, UnknownTransaction.
    """
    found = _twins(wallet, description, transaction, known, transactions, reservations)
    return tuple(request for request, _ in zip(found, range(MOST_TOLD), strict=False))


def told_of_twins(found: tuple[RequestId, ...]) -> str:
    """Return what an operator should know of twins; "" if there are none."""
    if not found:
        return ""
    return (
        f"A signature of {' and of '.join(found)} may exist, which pays the same: this one beside "
        "it could pay twice. Make that one again instead, or look at the account's history first."
    )


def _twins(
    wallet: WalletId,
    description: TransactionDescription,
    transaction: bytes,
    known: Iterable[SigningRequest],
    transactions: Transactions,
    reservations: Reservations,
) -> Iterator[RequestId]:
    if not description.to_address:
        return
    wanted = (description.to_address, description.amount)
    for other in known:
        proposal = other.proposal
        if (proposal.wallet, proposal.chain) != (wallet, description.chain):
            continue
        if not reservations.in_doubt(other) or reservations.excludes(other, transaction):
            continue
        paid = described(transactions, proposal)
        if (paid.to_address, paid.amount) == wanted:
            yield proposal.request
