"""What must be asked of the chain before a transaction can be built: nonce, gas, fees."""

from console.adapters.chains.ethereum.address import parse_address
from console.adapters.chains.ethereum.build import CallDraft, call_data
from console.adapters.chains.ethereum.fees import Fees, capped, quote
from console.adapters.chains.ethereum.meaning import Known
from console.adapters.chains.ethereum.node import EthereumNode
from console.adapters.chains.ethereum.replacing import PLAIN_GAS, replacement
from console.adapters.chains.ethereum.transaction import parse_transaction
from console.adapters.chains.ethereum.trials import Trial
from console.adapters.chains.ethereum.typed_arguments import encode_call
from console.application.errors import InsufficientFunds, TransactionError
from console.application.ports.chain import (
    BuiltTransaction,
    CallIntent,
    FeeLevel,
    ReplaceIntent,
    TransferIntent,
)
from console.domain.errors import NotYetPossible

_MOST_GAS = 1_000_000


class Planner:
    """Asks what an account's transactions need, and builds them."""

    def __init__(self, node: EthereumNode, known: Known) -> None:
        self._node = node
        self._known = known

    async def transfer(
        self, intent: TransferIntent, sender: bytes, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Send an amount, or everything, of coins or of a listed token.

        Raises: InvalidAddress, TransactionError, InsufficientFunds, ChainUnavailable,
        NotYetPossible.
        """
        to = parse_address(intent.to_address, await self._node.chain_id())
        if intent.memo:
            raise TransactionError("a transfer on Ethereum carries no memo; leave it empty")
        whole = await self._everything(intent, to, sender) if intent.everything else intent.amount
        amount = _amount(whole, least=1)
        draft = CallDraft(0, 0).pay(to, amount)
        if intent.asset:
            token = listed(intent.asset, self._known)
            draft = draft.call(token, call_data("transfer(address,uint256)", to, amount))
        return await self._priced(draft, intent.fee_level, sender, reserved)

    async def call(
        self, intent: CallIntent, sender: bytes, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Call a contract's function.

        Raises: InvalidAddress, TransactionError, ChainUnavailable.
        """
        chain_id = await self._node.chain_id()
        to = parse_address(intent.to_address, chain_id)
        data = encode_call(intent.function, intent.arguments, chain_id)
        draft = CallDraft(0, 0).call(to, data, _amount(intent.amount, least=0))
        return await self._priced(draft, intent.fee_level, sender, reserved)

    async def replacement(self, intent: ReplaceIntent, sender: bytes) -> BuiltTransaction:
        """Take a transaction's place at higher fees. Raises: TransactionError, ChainUnavailable."""
        old = parse_transaction(intent.transaction)
        if old.chain_id != await self._node.chain_id():
            raise TransactionError("the transaction is of another chain")
        fees = capped((await self._fees(intent.fee_level)).raised_over(old))
        new = replacement(old, fees, sender, cancel=intent.cancel)
        return BuiltTransaction(new.encode(), new.fee_ceiling, None)

    async def _everything(self, intent: TransferIntent, to: bytes, sender: bytes) -> int:
        """Return the token's balance, or the coin's less the most that the fee can be."""
        await self._node.chain_id()
        if intent.asset:
            return await self._node.token_balance(listed(intent.asset, self._known), sender)
        balance = await self._node.balance(sender)
        gas = await self._gas(CallDraft(0, 0).pay(to, 1), sender)
        left = balance - gas * (await self._fees(intent.fee_level)).max_fee
        if left <= 0:
            raise InsufficientFunds("the account holds less than the fee")
        return left

    async def _priced(
        self, draft: CallDraft, level: FeeLevel, sender: bytes, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Return a draft built with chain, nonce, gas and fees."""
        chain_id = await self._node.chain_id()
        nonce = await self._node.next_nonce(sender)
        while nonce_name(chain_id, nonce) in reserved:
            nonce += 1
        fees = await self._fees(level)
        gas = await self._gas(draft, sender)
        bound = CallDraft(chain_id, nonce, draft.to, draft.value, draft.data)
        data = bound.gas(gas).fees(fees.max_fee, fees.max_tip).build()
        return BuiltTransaction(data, gas * fees.max_fee, None)

    async def _fees(self, level: FeeLevel) -> Fees:
        return quote(await self._node.base_fee(), await self._node.tip(), level)

    async def _gas(self, draft: CallDraft, sender: bytes) -> int:
        """Return a plain transfer's gas, or what the code at the destination needs and a fifth."""
        if draft.to is None:
            raise TransactionError("contracts are not created here")
        if not draft.data and not await self._node.has_code(draft.to):
            return PLAIN_GAS
        gas = await self._node.gas(Trial(sender, draft.to, draft.value, draft.data)) * 6 // 5
        if gas > _MOST_GAS:
            raise TransactionError("the contract needs more gas than is ever offered")
        return gas


def listed(asset: str, known: Known) -> bytes:
    """Return a listed token's address. Raises: InvalidAddress, NotYetPossible."""
    token = parse_address(asset)
    if token not in known.tokens:
        raise NotYetPossible(f"{asset[:60]} is not on this node's list of tokens")
    return token


def nonce_name(chain_id: int, nonce: int) -> str:
    """Return the name of a nonce, which only one transaction of the account can use."""
    return f"nonce:{chain_id}:{nonce}"


def _amount(amount: int, *, least: int) -> int:
    if not least <= amount < 1 << 256:
        raise TransactionError("the amount must be above zero" if least else "no such amount")
    return amount
