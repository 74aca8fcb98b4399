"""Transactions of requests: decoded from their bytes, judged by policy, split into payloads.

Every custodian decides for itself from the bytes. Nothing that a proposer says is taken on trust.
"""

import contextlib
from collections.abc import Mapping

from console.application.aggregates import Aggregates
from console.application.ports.chain import Account, ChainAdapter, Payload
from console.application.ports.threshold import ThresholdSigner
from console.application.signing.wallet_keys import WalletKeys
from console.domain.errors import Conflict, DomainError, NotYetPossible
from console.domain.events import RequestProposed
from console.domain.ids import WalletId
from console.domain.policy import RuleResult, enforce, evaluate
from console.domain.transaction import TransactionDescription
from console.domain.values import Chain, SignatureKind
from console.domain.wallet import Wallet


class Transactions:
    """This member's own reading of every request, by its chains and its wallets' keys."""

    def __init__(
        self,
        aggregates: Aggregates,
        schemes: Mapping[SignatureKind, ThresholdSigner],
        chains: Mapping[Chain, ChainAdapter],
    ) -> None:
        self._aggregates = aggregates
        self._schemes = schemes
        self._chains = chains
        self._keys: dict[WalletId, tuple[int, WalletKeys]] = {}

    def describe(self, proposal: RequestProposed) -> TransactionDescription:
        """Decode a request's bytes. Raises: UnknownTransaction, NotYetPossible."""
        adapter = self.chain(proposal.chain)
        if proposal.network is not adapter.network:
            # The bytes may not name a network; they would be shown as on this node's.
            place = f"{proposal.chain.value} {proposal.network.value}"
            raise NotYetPossible(f"this node has no connection to {place}")
        keys = self.keys(self._aggregates.wallet(proposal.wallet))
        return adapter.describe(proposal.transaction, keys)

    def rules(self, proposal: RequestProposed, wallet: Wallet) -> tuple[RuleResult, ...]:
        """Evaluate this member's own copy of the policy on the decoded bytes."""
        description, adapter = self.describe(proposal), self.chain(proposal.chain)
        address = adapter.address(self.account(proposal), self.keys(wallet))
        return evaluate(
            description,
            own_address=self.own_address(wallet, adapter, description.from_address, address),
            fee_ceiling=proposal.fee_ceiling,
        )

    def own_address(
        self, wallet: Wallet, adapter: ChainAdapter, payer: str, account_address: str
    ) -> str:
        """Return the payer's address if any account of the wallet has it, else the account's.

        What another program drafted may spend from all accounts of a wallet together.
        """
        own = (address for _, address in self.accounts(wallet, adapter))
        return payer if payer in own else account_address

    def judge(self, proposal: RequestProposed, wallet: Wallet) -> None:
        """Check a proposal's facts against the bytes and this member's view of the wallet.

        Raises: Conflict, NotYetPossible, PolicyViolation, UnknownTransaction.
        """
        if proposal.epoch < wallet.epoch:
            raise Conflict("the request was made for another epoch of the wallet's keys")
        self.judge_record(proposal, wallet)

    def judge_record(self, proposal: RequestProposed, wallet: Wallet) -> None:
        """Check a proposal as `judge` does, but let its epoch be over: it may have been signed.

        Raises: Conflict, NotYetPossible, PolicyViolation, UnknownTransaction.
        """
        adapter = self.chain(proposal.chain)
        if proposal.network is not adapter.network:
            raise Conflict(
                f"the request is for {proposal.network.value}, this node is on "
                f"{adapter.network.value}"
            )
        if proposal.epoch > wallet.epoch:
            raise NotYetPossible("the request is of an epoch that has not begun here yet")
        self.account(proposal)
        keys, kinds = self.keys(wallet), {account.kind for account in adapter.accounts}
        payloads = adapter.payloads(proposal.transaction, keys)
        if proposal.kind not in {payload.kind for payload in payloads}:
            raise Conflict("the request names another key than its bytes need")
        for payload in payloads:
            if payload.kind not in kinds:
                raise Conflict("the request names another key than its bytes need")
            keys.public_key(payload.kind, payload.path)
            if self._schemes[payload.kind].message_size not in {None, len(payload.message)}:
                raise Conflict("what is to be signed has the wrong size for this kind of key")
        enforce(self.rules(proposal, wallet))

    def account_at(self, chain: Chain, path: str) -> Account:
        """Return a chain's account by its path, the first one for "". Raises: NotYetPossible."""
        for account in self.chain(chain).accounts:
            if path in {"", account.path}:
                return account
        raise NotYetPossible(f"{chain.value} has no account at {path[:80]!r}")

    def accounts(self, wallet: Wallet, adapter: ChainAdapter) -> list[tuple[Account, str]]:
        """Return a chain's accounts for which the wallet has a key, with their addresses."""
        keys, found = self.keys(wallet), []
        for account in adapter.accounts:
            with contextlib.suppress(DomainError):
                found.append((account, adapter.address(account, keys)))
        return found

    def chain(self, chain: Chain) -> ChainAdapter:
        """Return a chain's adapter. Raises: NotYetPossible if there is no connection to it."""
        try:
            return self._chains[chain]
        except KeyError:
            raise NotYetPossible(f"this node has no connection to {chain.value}") from None

    def payloads(self, proposal: RequestProposed) -> tuple[Payload, ...]:
        """Return what must be signed, derived from the bytes."""
        keys = self.keys(self._aggregates.wallet(proposal.wallet))
        return self.chain(proposal.chain).payloads(proposal.transaction, keys)

    async def is_used_up(self, proposal: RequestProposed) -> bool:
        """Ask the chain whether it executes a request no more, whoever signed it.

        Raises: UnknownTransaction, NotYetPossible, ChainUnavailable.
        """
        adapter = self.chain(proposal.chain)
        if adapter.network is not proposal.network:
            raise NotYetPossible("this node is on another network")
        keys = self.keys(self._aggregates.wallet(proposal.wallet))
        return await adapter.is_used_up(proposal.transaction, keys)

    def keys(self, wallet: Wallet) -> WalletKeys:
        """Return a wallet's public keys at any path; the same object for one epoch."""
        known = self._keys.get(wallet.wallet)
        if known is None or known[0] != wallet.epoch:
            known = self._keys[wallet.wallet] = (wallet.epoch, WalletKeys(wallet, self._schemes))
        return known[1]

    def account(self, proposal: RequestProposed) -> Account:
        """Return the account that a request pays from. Raises: Conflict."""
        for account in self.chain(proposal.chain).accounts:
            if (account.kind, account.path) == (proposal.kind, proposal.path):
                return account
        raise Conflict("the request names an account that its chain does not have")
