"""LiteSVM, Solana's own virtual machine in process, with the slots of a cluster.

The machine accepts only its latest blockhash. Here each transaction has its own slot, and the
blockhashes of the last 150 slots are accepted, as on a cluster.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from solders.account import Account
from solders.hash import Hash
from solders.litesvm import LiteSVM
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulateResult

from console.devnet.solana.refusals import error_json, executed, refusal
from console.devnet.solana.tokens import TokenHolding, holding

BLOCKHASHES: Final = 150
MOST_RECORDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Record:
    """A transaction in its slot, with the balances around it in the order of its accounts."""

    signature: str
    slot: int
    time_s: int
    error: object
    fee: int
    accounts: tuple[str, ...]
    lamports: tuple[tuple[int, int], ...]
    tokens: tuple[tuple[TokenHolding | None, TokenHolding | None], ...]


Listener = Callable[[Record], None]


class SolanaRuntime:
    """One chain, empty at first."""

    def __init__(self) -> None:
        self._svm = LiteSVM()
        self.genesis = str(self._svm.latest_blockhash())
        self.slot = 1
        self.listeners: set[Listener] = set()
        self._recent = deque([self._svm.latest_blockhash()], maxlen=BLOCKHASHES)
        self._records: OrderedDict[str, Record] = OrderedDict()
        self._messages: OrderedDict[bytes, None] = OrderedDict()

    def put(self, key: Pubkey, account: Account) -> None:
        """Set an account; only a devnet can."""
        self._svm.set_account(key, account)

    def account(self, key: Pubkey) -> Account | None:
        """Return an account; None if it holds nothing."""
        found = self._svm.get_account(key)
        return found if found and found.lamports else None

    def deposit(self, size: int) -> int:
        """Return the minimum lamports of an account of `size` bytes."""
        return int(self._svm.minimum_balance_for_rent_exemption(size))

    def blockhash(self) -> Hash:
        """Return the newest blockhash."""
        return self._svm.latest_blockhash()

    def takes(self, blockhash: Hash) -> bool:
        """Return whether a blockhash is recent."""
        return blockhash in self._recent

    def expire_blockhash(self) -> None:
        """Expire all transactions built so far, as time does on a cluster."""
        self._svm.expire_blockhash()
        self._recent.clear()
        self._recent.append(self._svm.latest_blockhash())

    def record(self, signature: str) -> Record | None:
        """Return the record of a signature."""
        return self._records.get(signature)

    def records(self, account: str, limit: int) -> list[Record]:
        """Return the newest transactions that list an account."""
        found = [r for r in reversed(self._records.values()) if account in r.accounts]
        return found[:limit]

    def simulate(self, transaction: VersionedTransaction, verify: bool) -> SimulateResult:
        """Run a transaction without changing the state."""
        self._svm.with_sigverify(verify)
        self._svm.with_blockhash_check(not self.takes(transaction.message.recent_blockhash))
        try:
            return self._svm.simulate_transaction(transaction)
        finally:
            self._svm.with_sigverify(True)
            self._svm.with_blockhash_check(True)

    def send(self, transaction: VersionedTransaction, preflight: bool = True) -> str:
        """Include a transaction in its own slot. Raises: RpcFailure.

        Without `preflight`, one that fails while it runs is included too, and pays its fee.
        """
        # As a cluster does: another signature of the same message is the same transaction.
        message = to_bytes_versioned(transaction.message)
        if message in self._messages and all(transaction.verify_with_results()):
            raise refusal("AlreadyProcessed", [], "This transaction has already been processed")
        if preflight:
            self._require(self.simulate(transaction, verify=True))
        keys = transaction.message.account_keys
        before = [self.account(key) for key in keys]
        # The machine accepts its latest blockhash only. Recent ones are accepted here; others are
        # left to the machine: they may be the value of a durable nonce.
        self._svm.with_blockhash_check(not self.takes(transaction.message.recent_blockhash))
        try:
            result = self._svm.send_transaction(transaction)
        finally:
            self._svm.with_blockhash_check(True)
        error = None
        if isinstance(result, FailedTransactionMetadata):
            error = result.err()
            if not executed(error):
                self._require(result)
        self._messages[message] = None
        return self._include(transaction, before, error)

    def _require(self, result: object) -> None:
        if isinstance(result, FailedTransactionMetadata):
            raise refusal(error_json(result.err()), result.meta().logs())

    def _include(
        self, transaction: VersionedTransaction, before: list[Account | None], error: object
    ) -> str:
        self.slot += 1
        self._svm.expire_blockhash()
        self._recent.append(self._svm.latest_blockhash())
        keys = transaction.message.account_keys
        after = [self.account(key) for key in keys]
        lamports = tuple(
            (_lamports(old), _lamports(new)) for old, new in zip(before, after, strict=True)
        )
        made = Record(
            signature=str(transaction.signatures[0]),
            slot=self.slot,
            time_s=int(time.time()),
            error=None if error is None else error_json(error),
            fee=max(0, sum(old for old, _ in lamports) - sum(new for _, new in lamports)),
            accounts=tuple(map(str, keys)),
            lamports=lamports,
            tokens=tuple(
                (holding(old), holding(new)) for old, new in zip(before, after, strict=True)
            ),
        )
        self._records[made.signature] = made
        for kept in (self._records, self._messages):
            while len(kept) > MOST_RECORDS:
                kept.popitem(last=False)
        for listener in tuple(self.listeners):
            listener(made)
        return made.signature


def _lamports(account: Account | None) -> int:
    return account.lamports if account else 0
