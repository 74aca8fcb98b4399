"""SolanaAdapter: `ChainAdapter` for coins, tokens and durable nonces over JSON-RPC."""

import base64
from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from solders.pubkey import Pubkey

from console.adapters.chain_options import require_known
from console.adapters.chains.solana import refusals
from console.adapters.chains.solana.address import account_of, address_of, parse_address
from console.adapters.chains.solana.describe import WalletContext, describe
from console.adapters.chains.solana.fees import DECIMALS, UNIT, coins
from console.adapters.chains.solana.history import movements
from console.adapters.chains.solana.importing import imported, read_draft
from console.adapters.chains.solana.message import attach_signature
from console.adapters.chains.solana.minimums import check_minimums
from console.adapters.chains.solana.node import NODE, SolanaNode
from console.adapters.chains.solana.nonce import consumed, durable_nonce, parse_nonce_account
from console.adapters.chains.solana.planning import (
    Planner,
    token_holding,
)
from console.adapters.chains.solana.presets import NETWORKS, NODE_HINT
from console.adapters.chains.solana.replacing import is_replaceable, why_not_replaced
from console.adapters.chains.solana.request import (
    parse_request,
    with_owners,
    without_owners,
)
from console.adapters.chains.solana.simulation import simulate
from console.adapters.chains.solana.subscription import SignatureWatch
from console.adapters.rpc.json_rpc import TIMEOUT_S, RpcRefused
from console.adapters.rpc.sources import RpcSources
from console.application.errors import (
    ChainUnavailable,
    InsufficientFunds,
    TransactionRejected,
)
from console.application.ports.chain import (
    Ability,
    Account,
    Asset,
    BuiltTransaction,
    ChainSettings,
    DurableIntent,
    ImportIntent,
    Inclusion,
    InclusionState,
    Intent,
    Movement,
    Payload,
    PublicKeys,
    ReplaceIntent,
    SignedTransaction,
    Simulation,
    TransferIntent,
)
from console.domain.errors import NotYetPossible
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, SignatureKind

ACCOUNT = Account(kind=SignatureKind.EDDSA_ED25519, path="m", label="Solana")
"""Ed25519 has no standard for unhardened children: a wallet's account is its group key itself."""
_REMEMBERED = 100
WATCH_S = 3.0
"""Longest wait for a notification in one question."""


class SolanaAdapter:
    """One Solana cluster, over one node or several that must agree."""

    chain = Chain.SOLANA
    unit = UNIT
    decimals = DECIMALS
    accounts: tuple[Account, ...] = (ACCOUNT,)
    lets_expire = True
    abilities = frozenset({Ability.MEMO, Ability.DURABLE})
    import_form = "An unsigned message"
    networks: Mapping[Network, str] = NETWORKS
    node_hint = NODE_HINT
    follows_websocket = True

    def __init__(
        self,
        network: Network,
        urls: tuple[str, ...],
        assets: tuple[Asset, ...] = (),
        websocket: str = "",
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.network = network
        self.assets = assets
        self._listed = {asset.address: asset for asset in assets}
        self._node = SolanaNode(network, RpcSources(NODE, urls, timeout_s), len(urls) > 1)
        # A transaction that was just sent is confirmed within about a second: worth a short wait.
        self._sent: deque[str] = deque(maxlen=_REMEMBERED)
        self._watch: SignatureWatch | None = None
        if websocket:
            self._watch = SignatureWatch(websocket, self._node.status, WATCH_S)
        self._planner = Planner(self._node, self._listed)

    @classmethod
    def from_settings(cls, settings: ChainSettings) -> Self:
        """Return the adapter. Raises: OptionNotKnown."""
        require_known(settings.options, "websocket")
        return cls(
            settings.network,
            settings.urls,
            settings.assets,
            next(iter(settings.option("websocket")), ""),
            settings.timeout_s,
        )

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the base58 address of the group key. Raises: NotYetPossible."""
        return address_of(keys.public_key(account.kind, account.path))

    def export_account(self, account: Account, keys: PublicKeys) -> str:
        """Return the address, all that a watching wallet needs. Raises: NotYetPossible."""
        return self.address(account, keys)

    def validate_address(self, text: str) -> str:
        """Return the canonical form. Raises: InvalidAddress."""
        return str(parse_address(text))

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Return the description of a request's bytes.

        Raises: UnknownTransaction; NotYetPossible until this node has read a listed token's rules.
        """
        if self._planner.unread(parse_request(transaction).message):
            raise NotYetPossible("this node has not read the token's rules from the chain yet")
        dangers = self._planner.dangers
        place = WalletContext(self.network, _wallet(keys), self._listed, dangers)
        return describe(transaction, place)

    def payloads(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - the message is the payload
    ) -> tuple[Payload, ...]:
        """Return the message itself, which is signed. Raises: UnknownTransaction."""
        return (Payload(parse_request(transaction).data, ACCOUNT.kind, ACCOUNT.path),)

    def attach(
        self,
        transaction: bytes,
        signatures: tuple[bytes, ...],
        keys: PublicKeys,  # noqa: ARG002 - the message names its signer
    ) -> SignedTransaction:
        """Return the message with its signature, which must be the payer's.

        Raises: TransactionError.
        """
        return attach_signature(parse_request(transaction).data, signatures)

    def consumes(self, transaction: bytes) -> frozenset[str]:
        """Return the name of the durable nonce, else of the message. Raises: UnknownTransaction."""
        return consumed(parse_request(transaction).data)

    def can_be_replaced(self, transaction: bytes) -> bool:
        """Return whether it has a durable nonce. Raises: UnknownTransaction."""
        return is_replaceable(parse_request(transaction).message)

    def may_replace(self, old: bytes, new: bytes) -> str:
        """Return "" if `new` is the same at a higher price, or a cancellation, with the same nonce.

        Raises: UnknownTransaction.
        """
        before, after = parse_request(old), parse_request(new)
        return why_not_replaced(before.data, after.data)

    def exported(self, data: bytes) -> str:
        """Return hexadecimal, of a request only what is signed."""
        return without_owners(data).hex()

    async def build_transaction(
        self, intent: Intent, keys: PublicKeys, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        """Build a transfer, a replacement or a nonce account, or import a draft.

        Raises: InvalidAddress, TransactionError, NotYetPossible, ChainUnavailable; TransactionError
        also for what would leave an account with less than the cluster's minimum.
        """
        match intent:
            case TransferIntent():
                if intent.everything:
                    intent = await self._everything(intent, keys, reserved)
                plan = await self._planner.transfer(intent, _wallet(keys), reserved)
            case DurableIntent():
                plan = await self._planner.nonce_account(_wallet(keys), reserved)
            case ReplaceIntent():
                old = parse_request(intent.transaction)
                plan = await self._planner.replacement(
                    old.message, intent.fee_level, cancel=intent.cancel
                )
                owners = () if intent.cancel else old.owners
                plan = replace(plan, message=with_owners(plan.message, owners))
            case ImportIntent():
                plan = imported(read_draft(intent.text), _wallet(keys))
                plan = await self._planner.completed(plan, _wallet(keys))
            case _:
                raise NotYetPossible("Solana wallets offer transfers and durable nonces only")
        await self._planner.read_mints(parse_request(plan.message).message)
        described = self.describe(plan.message, keys)
        fee = described.fee.base_units
        if not isinstance(intent, ReplaceIntent) and described.flow is not None:
            flow = replace(described.flow, out=described.flow.out + fee + plan.deposit)
            await check_minimums(self._node, parse_request(plan.message).message, flow)
        return BuiltTransaction(plan.message, fee + plan.deposit, plan.valid_for_s)

    async def _everything(
        self, intent: TransferIntent, keys: PublicKeys, reserved: frozenset[str]
    ) -> TransferIntent:
        """Return the intent with the whole balance of the token, or of the coin less the fee."""
        balance = await self.balance(intent.account, keys, intent.asset)
        if not balance.base_units:
            raise InsufficientFunds("the account holds nothing")
        intent = replace(intent, amount=balance.base_units)
        if intent.asset:
            return intent
        trial = await self._planner.transfer(intent, _wallet(keys), reserved)
        left = balance.base_units - self.describe(trial.message, keys).fee.base_units
        if left <= 0:
            raise InsufficientFunds("the account holds less than the fee")
        return replace(intent, amount=left)

    async def height(self) -> int:
        """Return the newest confirmed slot that all nodes have. Raises: ChainUnavailable."""
        return await self._node.slot()

    async def simulate(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - the message names the accounts that change
    ) -> Simulation | None:
        """Return what one node foresees. Raises: UnknownTransaction, ChainUnavailable."""
        return await simulate(self._node, parse_request(transaction).message, self._listed)

    async def balance(self, account: Account, keys: PublicKeys, asset: str = "") -> Amount:
        """Return the confirmed balance of the coin or a listed token.

        Raises: NotYetPossible, ChainUnavailable.
        """
        wallet = account_of(keys.public_key(account.kind, account.path))
        if not asset:
            return coins(await self._node.balance(wallet))
        listed = self._planner.listed(asset)
        held = await token_holding(self._node, wallet, await self._planner.token(listed))
        return Amount(held, listed.unit, listed.decimals)

    async def history(self, account: Account, keys: PublicKeys) -> tuple[Movement, ...]:
        """Return the newest movements, as one node reports them. Raises: ChainUnavailable."""
        wallet = account_of(keys.public_key(account.kind, account.path))
        return await movements(self._node, wallet, self._listed)

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Broadcast a transaction. One that the chain has already is no error.

        Raises: ChainUnavailable, BlockhashExpired, NonceConflict, InsufficientFunds,
        TransactionRejected.
        """
        encoded = base64.b64encode(signed.transaction).decode()
        options = {"encoding": "base64", "preflightCommitment": "confirmed"}
        try:
            told = await self._node.hand_over("sendTransaction", [encoded, options])
        except RpcRefused as refused:
            if refusals.is_known_already(refused):
                return
            # Another node may have accepted it, and then its own nonce is consumed already.
            if await self._knows(signed):
                return
            if refusals.is_unfit(refused):
                raise ChainUnavailable(f"{NODE} is behind its cluster") from None
            raise refusals.failure(refused, signed.transaction) from None
        self._sent.append(signed.transaction_id)
        if told != signed.transaction_id:
            raise ChainUnavailable(f"{NODE} names another transaction than it was given")

    async def status(self, transaction_id: str) -> Inclusion:
        """Return its status; wait a little for a transaction just sent.

        Raises: ChainUnavailable.
        """
        if self._watch is not None and transaction_id in self._sent:
            ended = await self._watch.confirmed(transaction_id)
            if ended is not None:
                return ended
        return await self._node.status(transaction_id)

    async def is_used_up(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - the message names its nonce account
    ) -> bool:
        """Return whether its durable nonce has moved on, or its blockhash is too old, for good.

        Raises: UnknownTransaction, ChainUnavailable.
        """
        message = parse_request(transaction).message
        nonce = durable_nonce(message)
        if nonce is None:
            return not await self._node.takes(message.lifetime)
        found = await self._node.final_account(nonce.account)
        now = parse_nonce_account(nonce.account, *found) if found else None
        return now is None or now.value != nonce.value

    async def request_faucet(self, address: str, base_units: int, asset: str = "") -> None:
        """Ask a devnet for coins or tokens. Raises: TransactionRejected, ChainUnavailable."""
        if self.network is not Network.DEVNET:
            raise TransactionRejected("only a devnet has a faucet")
        try:
            if asset:
                await self._node.order("devnet_fundToken", [asset, address, base_units])
            else:
                await self._node.order("requestAirdrop", [address, base_units])
        except RpcRefused as refused:
            raise TransactionRejected(f"the faucet refuses: {refused}") from None

    async def close(self) -> None:
        """Release the connections."""
        await self._node.close()

    async def _knows(self, signed: SignedTransaction) -> bool:
        status = await self._node.status(signed.transaction_id)
        return status.state is not InclusionState.UNKNOWN


def _wallet(keys: PublicKeys) -> Pubkey:
    return account_of(keys.public_key(ACCOUNT.kind, ACCOUNT.path))
