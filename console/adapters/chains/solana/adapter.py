"""SolanaAdapter: `ChainAdapter` for SOL transfers over JSON-RPC."""

import base64
from typing import Annotated, TypeVar

import msgspec

from console.adapters.chains.solana import codec
from console.adapters.json_rpc import TIMEOUT_S, JsonRpc, RpcRefused
from console.application.errors import (
    BlockhashExpired,
    ChainUnavailable,
    InsufficientFunds,
    TransactionError,
    TransactionRejected,
)
from console.application.ports.chain import (
    Account,
    BuiltTransaction,
    Inclusion,
    InclusionState,
    Payload,
    PublicKeys,
    SignedTransaction,
    TransferIntent,
)
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network, SignatureKind

MAINNET_GENESIS = "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"
BLOCKHASH_VALID_S = 60
"""150 slots of 0.4 s, the time that most clusters keep a blockhash."""
_COMMITMENT = {"commitment": "confirmed"}
_FINAL = {"confirmed", "finalized"}

T = TypeVar("T")
Unsigned = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class _Blockhash(msgspec.Struct, frozen=True):
    blockhash: str


class _BlockhashAnswer(msgspec.Struct, frozen=True):
    value: _Blockhash


class _BalanceAnswer(msgspec.Struct, frozen=True):
    value: Unsigned


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    slot: Unsigned
    confirmation_status: str | None = None
    err: msgspec.Raw = msgspec.Raw(b"null")


class _StatusAnswer(msgspec.Struct, frozen=True):
    value: list[_Status | None]


class _FailureData(msgspec.Struct, frozen=True):
    err: msgspec.Raw = msgspec.Raw(b"null")
    logs: list[str] | None = None


ACCOUNT = Account(SignatureKind.EDDSA_ED25519, "m", "Solana")
"""Ed25519 has no standard for unhardened children: a wallet's account is its group key itself."""


class SolanaAdapter:
    """One Solana cluster. Which cluster it is, is checked before the first answer is used."""

    chain = Chain.SOLANA
    unit = codec.UNIT
    decimals = codec.DECIMALS
    accounts: tuple[Account, ...] = (ACCOUNT,)

    def __init__(self, network: Network, url: str, timeout_s: float = TIMEOUT_S) -> None:
        self.network = network
        self._rpc = JsonRpc("the Solana node", url, timeout_s)
        self._checked = False

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the base58 address of the group key. Raises: NotYetPossible."""
        return codec.address_of(keys.public_key(account.kind, account.path))

    def validate_address(self, text: str) -> str:
        """Return the canonical form. Raises: InvalidAddress."""
        return str(codec.parse_address(text))

    def describe(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - a message names its payer itself
    ) -> TransactionDescription:
        """Decode an unsigned message. Raises: UnknownTransaction."""
        return codec.describe_message(transaction, self.network)

    def payloads(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - the message is the payload
    ) -> tuple[Payload, ...]:
        """The message itself is what is signed. Raises: UnknownTransaction."""
        codec.parse_message(transaction)
        return (Payload(transaction, ACCOUNT.kind, ACCOUNT.path),)

    def attach(
        self,
        transaction: bytes,
        signatures: tuple[bytes, ...],
        keys: PublicKeys,  # noqa: ARG002 - the message names its signers
    ) -> SignedTransaction:
        """Join message and signature. Raises: TransactionError."""
        return codec.attach_signature(transaction, signatures)

    async def build_transaction(self, intent: TransferIntent, keys: PublicKeys) -> BuiltTransaction:
        """Build a transfer with a fresh blockhash.

        Raises: InvalidAddress, TransactionError, ChainUnavailable.
        """
        codec.parse_address(intent.to_address)
        await self._check_cluster()
        answer = await self._ask("getLatestBlockhash", [_COMMITMENT], _BlockhashAnswer)
        data = codec.build_transfer(
            keys.public_key(intent.account.kind, intent.account.path),
            intent.to_address,
            intent.amount,
            intent.memo,
            answer.value.blockhash,
        )
        fee = self.describe(data, keys).fee.base_units
        return BuiltTransaction(data, fee, BLOCKHASH_VALID_S)

    async def balance(self, address: str) -> Amount:
        """Return the confirmed balance. Raises: ChainUnavailable."""
        await self._check_cluster()
        answer = await self._ask("getBalance", [address, _COMMITMENT], _BalanceAnswer)
        return Amount(answer.value, self.unit, self.decimals)

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand the transaction over; one that the chain has already is no error.

        Raises: ChainUnavailable, BlockhashExpired, InsufficientFunds, TransactionRejected.
        """
        await self._check_cluster()
        encoded = base64.b64encode(signed.transaction).decode()
        options = {"encoding": "base64", "preflightCommitment": "confirmed"}
        try:
            told = await self._rpc.call("sendTransaction", [encoded, options], str)
        except RpcRefused as refused:
            failure = _failure(refused)
            if failure is None:
                return
            raise failure from None
        if told != signed.transaction_id:
            raise ChainUnavailable("the Solana node names another transaction than it was given")

    async def status(self, transaction_id: str) -> Inclusion:
        """Ask what became of it. Raises: ChainUnavailable."""
        await self._check_cluster()
        options = {"searchTransactionHistory": True}
        answer = await self._ask("getSignatureStatuses", [[transaction_id], options], _StatusAnswer)
        if len(answer.value) != 1:
            raise ChainUnavailable("the Solana node answers for another transaction")
        status = answer.value[0]
        if status is None:
            return Inclusion(InclusionState.UNKNOWN)
        if bytes(status.err) != b"null":
            reason = "the chain executed the transfer and it failed; only the fee was paid"
            return Inclusion(InclusionState.FAILED, status.slot, reason)
        if status.confirmation_status in _FINAL:
            return Inclusion(InclusionState.CONFIRMED, status.slot)
        return Inclusion(InclusionState.PENDING, status.slot)

    async def request_faucet(self, address: str, base_units: int) -> None:
        """Ask a devnet for coins. Raises: TransactionRejected, ChainUnavailable."""
        if self.network is not Network.DEVNET:
            raise TransactionRejected("only a devnet has a faucet")
        await self._check_cluster()
        try:
            await self._rpc.call("requestAirdrop", [address, base_units], str)
        except RpcRefused as refused:
            raise TransactionRejected(f"the faucet refuses: {refused}") from None

    async def close(self) -> None:
        """Release the connection."""
        await self._rpc.close()

    async def _ask(self, method: str, params: list[object], kind: type[T]) -> T:
        try:
            return await self._rpc.call(method, params, kind)
        except RpcRefused as refused:
            raise ChainUnavailable(f"the Solana node refuses {method}: {refused}") from None

    async def _check_cluster(self) -> None:
        """Refuse a cluster of another network: its answers would be true for other funds."""
        if self._checked:
            return
        genesis = await self._ask("getGenesisHash", [], str)
        if (genesis == MAINNET_GENESIS) != (self.network is Network.MAINNET):
            raise ChainUnavailable(f"this Solana node is not on {self.network.value}")
        self._checked = True


def _failure(refused: RpcRefused) -> TransactionError | None:
    """Translate a refused broadcast; None when the chain has the transaction already."""
    error = refused.error
    try:
        data = msgspec.json.decode(bytes(error.data), type=_FailureData)
        kind = bytes(data.err).decode("utf-8", "replace")
        logs = " ".join(data.logs or ())[:2000]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        kind, logs = "", ""
    text = f"{kind} {logs} {error.message}"
    if "AlreadyProcessed" in text or "already been processed" in text:
        return None
    if "BlockhashNotFound" in text or "Blockhash not found" in text:
        return BlockhashExpired("the transfer's blockhash has expired")
    if "InsufficientFundsForRent" in text:
        return TransactionRejected("it would leave an account with less than the chain's minimum")
    if "insufficient" in text or "InsufficientFunds" in text:
        return InsufficientFunds("the account cannot pay the amount and the fee")
    return TransactionRejected(f"the chain refused it: {refused}")
