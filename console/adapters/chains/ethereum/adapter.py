"""Ethereum and chains like it: coins, listed tokens, calls and messages, with EIP-1559 fees."""

from console.adapters.chains.ethereum import signable
from console.adapters.chains.ethereum.address import address_of, checksummed, parse_address
from console.adapters.chains.ethereum.build import Draft, call_data
from console.adapters.chains.ethereum.describe import Place, describe
from console.adapters.chains.ethereum.fees import Fees, capped, quote
from console.adapters.chains.ethereum.meaning import COIN_DECIMALS, Known, Token
from console.adapters.chains.ethereum.messages import build_message
from console.adapters.chains.ethereum.node import EthereumNode, failure, is_of_network
from console.adapters.chains.ethereum.replacing import (
    PLAIN_GAS,
    is_replaceable,
    replacement,
    why_not_replaced,
)
from console.adapters.chains.ethereum.signature import parse_signature
from console.adapters.chains.ethereum.signed import parse_signed
from console.adapters.chains.ethereum.simulation import simulate
from console.adapters.chains.ethereum.transaction import Transaction, parse_transaction
from console.adapters.chains.ethereum.typed_arguments import encode_call
from console.adapters.rpc.imported import bytes_from_text
from console.adapters.rpc.json_rpc import TIMEOUT_S, RpcRefused
from console.application.errors import (
    ChainUnavailable,
    InsufficientFunds,
    NonceConflict,
    TransactionError,
    TransactionRejected,
    UnknownTransaction,
)
from console.application.ports.chain import (
    MESSAGE_ID,
    Ability,
    Account,
    Asset,
    BuiltTransaction,
    CallIntent,
    FeeLevel,
    ImportIntent,
    Inclusion,
    InclusionState,
    Intent,
    MessageIntent,
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

ACCOUNT = Account(SignatureKind.ECDSA_SECP256K1, "m/44/60/0/0/0", "Ethereum")
"""BIP 44's place for the first account, without its hardened steps, which shares cannot take."""
CONFIRMATIONS = {Network.DEVNET: 1, Network.TESTNET: 3, Network.MAINNET: 12}
_MOST_GAS = 1_000_000


class EthereumAdapter:
    """One Ethereum network. `trusted` are contracts that may be given allowances."""

    chain = Chain.ETHEREUM
    unit = "ETH"
    decimals = COIN_DECIMALS
    accounts: tuple[Account, ...] = (ACCOUNT,)
    abilities = frozenset({Ability.CALL, Ability.MESSAGE})

    def __init__(
        self,
        network: Network,
        urls: tuple[str, ...],
        assets: tuple[Asset, ...] = (),
        trusted: tuple[str, ...] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.network = network
        self.assets = tuple(
            Asset(self.validate_address(a.address), a.unit, a.decimals) for a in assets
        )
        endorsed = frozenset(map(parse_address, trusted))
        self._known = Known(
            self.unit,
            {parse_address(a.address): Token(a.unit, a.decimals) for a in self.assets},
            spenders=endorsed,
            accounts=endorsed,
        )
        self._node = EthereumNode(network, urls, timeout_s)

    def address(self, account: Account, keys: PublicKeys) -> str:
        """Return the EIP-55 address. Raises: NotYetPossible."""
        return checksummed(address_of(keys.public_key(account.kind, account.path)))

    def export_account(self, account: Account, keys: PublicKeys) -> str:
        """Return the address: it is all that a watching wallet needs. Raises: NotYetPossible."""
        return self.address(account, keys)

    def validate_address(self, text: str) -> str:
        """Return the checksummed form. Raises: InvalidAddress."""
        return checksummed(parse_address(text))

    def describe(self, transaction: bytes, keys: PublicKeys) -> TransactionDescription:
        """Decode the bytes; the sender is the wallet's account. Raises: UnknownTransaction."""
        place = Place(self.chain, self.network, self._bound_to(transaction), self._known)
        return describe(transaction, self.address(ACCOUNT, keys), place)

    def payloads(
        self,
        transaction: bytes,
        keys: PublicKeys,  # noqa: ARG002 - whose account it is does not change what is signed
    ) -> tuple[Payload, ...]:
        """Return the signing hash. Raises: UnknownTransaction."""
        content = signable.parse(transaction, self._bound_to(transaction))
        return (Payload(content.signing_hash(), ACCOUNT.kind, ACCOUNT.path),)

    def attach(
        self, transaction: bytes, signatures: tuple[bytes, ...], keys: PublicKeys
    ) -> SignedTransaction:
        """Join bytes and signature, which must be of the wallet's account.

        Raises: TransactionError, UnknownTransaction.
        """
        if len(signatures) != 1:
            raise TransactionError("what is signed on Ethereum has exactly one signature")
        signature = parse_signature(signatures[0])
        chain_id = self._bound_to(transaction)
        signed = signable.attach(transaction, signature, chain_id)
        if signed.sender != _own(keys):
            raise TransactionError("the signature is of another account")
        known_by = f"0x{signed.transaction_hash.hex()}"
        if not isinstance(signable.parse(transaction, chain_id), Transaction):
            known_by = MESSAGE_ID + known_by
        return SignedTransaction(signed.content, known_by)

    def consumes(self, transaction: bytes) -> frozenset[str]:
        """Name the nonce. Raises: UnknownTransaction."""
        content = signable.parse(transaction, self._bound_to(transaction))
        if not isinstance(content, Transaction):
            return frozenset()
        return frozenset({nonce_name(content.chain_id, content.nonce)})

    def can_be_replaced(self, transaction: bytes) -> bool:
        """Tell whether it is a transaction of type 2. Raises: UnknownTransaction."""
        content = signable.parse(transaction, self._bound_to(transaction))
        return isinstance(content, Transaction) and is_replaceable(content)

    def may_replace(self, old: bytes, new: bytes) -> str:
        """Return "" for the same again, or nothing, at fees a tenth higher, else why not.

        Raises: UnknownTransaction.
        """
        return why_not_replaced(old, new)

    async def build_transaction(
        self, intent: Intent, keys: PublicKeys, reserved: frozenset[str] = frozenset()
    ) -> BuiltTransaction:
        """Build with the account's lowest free nonce and a fee that lasts some full blocks.

        Raises: InvalidAddress, TransactionError, ChainUnavailable, NotYetPossible.
        """
        match intent:
            case TransferIntent():
                return await self._transfer(intent, keys, reserved)
            case CallIntent():
                to = parse_address(intent.to_address)
                data = encode_call(intent.function, intent.arguments)
                draft = Draft(0, 0).call(to, data, _amount(intent.amount, least=0))
                return await self._priced(draft, intent.fee_level, keys, reserved)
            case MessageIntent():
                return self._message(intent.text)
            case ReplaceIntent():
                return await self._replacement(intent, keys)
            case ImportIntent():
                return self._imported(bytes_from_text(intent.text))
            case _:
                raise NotYetPossible("Ethereum needs nothing set up for that")

    async def simulate(self, transaction: bytes, keys: PublicKeys) -> Simulation | None:
        """Call it without sending it; None for messages. Raises: ChainUnavailable."""
        content = signable.parse(transaction, self._bound_to(transaction))
        if not isinstance(content, Transaction):
            return None
        await self._node.chain_id()
        return await simulate(self._node, content, _own(keys), self._known)

    async def balance(self, account: Account, keys: PublicKeys, asset: str = "") -> Amount:
        """Return the balance in the newest block. Raises: ChainUnavailable, NotYetPossible."""
        await self._node.chain_id()
        owner = address_of(keys.public_key(account.kind, account.path))
        if not asset:
            return self._known.coins(await self._node.balance(owner))
        token = self._listed(asset)
        return self._known.amount(token, await self._node.token_balance(token, owner))

    async def history(
        self,
        account: Account,  # noqa: ARG002
        keys: PublicKeys,  # noqa: ARG002
    ) -> tuple[Movement, ...]:
        """Return (): Ethereum's nodes keep no list of an account's transactions."""
        return ()

    async def broadcast(self, signed: SignedTransaction) -> None:
        """Hand the transaction over; one that the chain has already is no error.

        Raises: ChainUnavailable, InsufficientFunds, NonceConflict, FeeTooLow, TransactionRejected.
        """
        await self._node.chain_id()
        try:
            told = await self._node.send(signed.transaction)
        except RpcRefused as refused:
            if await self._node.knows(signed.transaction_id):
                return
            trouble = failure(refused)
            if isinstance(trouble, NonceConflict) and await self._is_early(signed.transaction):
                raise ChainUnavailable(
                    "an earlier transaction of this account has to be sent first"
                ) from None
            raise trouble from None
        if told != signed.transaction_id:
            raise ChainUnavailable("the Ethereum node names another transaction than it was given")

    async def status(self, transaction_id: str) -> Inclusion:
        """Ask what became of it. Raises: ChainUnavailable."""
        await self._node.chain_id()
        receipt = await self._node.receipt(transaction_id)
        if receipt is None:
            pending = await self._node.knows(transaction_id)
            return Inclusion(InclusionState.PENDING if pending else InclusionState.UNKNOWN)
        number = int(receipt.block_number, 16)
        depth = await self._node.height() - number + 1
        if depth < CONFIRMATIONS[self.network]:
            # A failure too: after a reorganisation the same bytes may move the funds.
            return Inclusion(InclusionState.PENDING, number)
        if receipt.status == "0x0":
            reason = "the chain executed the transaction and it failed; only the fee was paid"
            return Inclusion(InclusionState.FAILED, number, reason)
        return Inclusion(InclusionState.CONFIRMED, number)

    async def request_faucet(self, address: str, base_units: int, asset: str = "") -> None:
        """Ask a devnet for coins or tokens. Raises: TransactionRejected, ChainUnavailable."""
        if self.network is not Network.DEVNET:
            raise TransactionRejected("only a devnet has a faucet")
        await self._node.chain_id()
        token = self._listed(asset) if asset else None
        await self._node.fund(parse_address(address), base_units, token)

    async def close(self) -> None:
        """Release the connections."""
        await self._node.close()

    # How it is built

    async def _transfer(
        self, intent: TransferIntent, keys: PublicKeys, reserved: frozenset[str]
    ) -> BuiltTransaction:
        to = parse_address(intent.to_address)
        if intent.memo:
            raise TransactionError("a transfer on Ethereum carries no memo; leave it empty")
        whole = await self._everything(intent, to, keys) if intent.everything else intent.amount
        amount = _amount(whole, least=1)
        draft = Draft(0, 0).pay(to, amount)
        if intent.asset:
            token = self._listed(intent.asset)
            draft = draft.call(token, call_data("transfer(address,uint256)", to, amount))
        return await self._priced(draft, intent.fee_level, keys, reserved)

    async def _everything(self, intent: TransferIntent, to: bytes, keys: PublicKeys) -> int:
        """Return the token's balance, or the coin's less the most that the fee can be."""
        balance = await self.balance(intent.account, keys, intent.asset)
        if intent.asset:
            return balance.base_units
        gas = await self._gas(Draft(0, 0).pay(to, 1), _own(keys))
        left = balance.base_units - gas * (await self._fees(intent.fee_level)).max_fee
        if left <= 0:
            raise InsufficientFunds("the account holds less than the fee")
        return left

    async def _priced(
        self, draft: Draft, level: FeeLevel, keys: PublicKeys, reserved: frozenset[str]
    ) -> BuiltTransaction:
        """Give a draft its chain, nonce, gas and fees."""
        chain_id, sender = await self._node.chain_id(), _own(keys)
        nonce = await self._node.next_nonce(sender)
        while nonce_name(chain_id, nonce) in reserved:
            nonce += 1
        fees = await self._fees(level)
        gas = await self._gas(draft, sender)
        bound = Draft(chain_id, nonce, draft.to, draft.value, draft.data)
        data = bound.gas(gas).fees(fees.max_fee, fees.max_tip).build()
        return BuiltTransaction(data, gas * fees.max_fee, None)

    async def _replacement(self, intent: ReplaceIntent, keys: PublicKeys) -> BuiltTransaction:
        old = parse_transaction(intent.transaction)
        if old.chain_id != await self._node.chain_id():
            raise TransactionError("the transaction is of another chain")
        fees = capped((await self._fees(intent.fee_level)).raised_over(old))
        new = replacement(old, fees, _own(keys), cancel=intent.cancel)
        return BuiltTransaction(new.encode(), new.fee_ceiling, None)

    def _message(self, text: str) -> BuiltTransaction:
        """Take a document of EIP-712 as it is, anything else as a personal message."""
        try:
            data, whole = text.strip().encode(), text.encode()
        except UnicodeEncodeError:
            raise TransactionError("the message holds half of a character") from None
        return self._imported(data if data.startswith(b"{") else build_message(whole))

    def _imported(self, data: bytes) -> BuiltTransaction:
        """Take bytes that can be signed as they are. Raises: TransactionError."""
        try:
            content = signable.parse(data, self._bound_to(data))
        except UnknownTransaction as error:
            raise TransactionError(f"this cannot be signed: {error}") from None
        fee = content.fee_ceiling if isinstance(content, Transaction) else 0
        return BuiltTransaction(data, fee, None)

    async def _fees(self, level: FeeLevel) -> Fees:
        return quote(await self._node.base_fee(), await self._node.tip(), level)

    async def _gas(self, draft: Draft, sender: bytes) -> int:
        """Return a plain transfer's gas, or what the code at the destination needs and a fifth."""
        if draft.to is None:
            raise TransactionError("contracts are not created here")
        if not draft.data and not await self._node.has_code(draft.to):
            return PLAIN_GAS
        call = {"from": checksummed(sender), "to": checksummed(draft.to)}
        if draft.value:
            call["value"] = hex(draft.value)
        if draft.data:
            call["data"] = f"0x{draft.data.hex()}"
        gas = await self._node.gas(call) * 6 // 5
        if gas > _MOST_GAS:
            raise TransactionError("the contract needs more gas than is ever offered")
        return gas

    async def _is_early(self, content: bytes) -> bool:
        """Say whether a signed transaction's nonce is above the account's next."""
        transaction, _, signed = parse_signed(content)
        return transaction.nonce > await self._node.next_nonce(signed.sender)

    def _listed(self, asset: str) -> bytes:
        token = parse_address(asset)
        if token not in self._known.tokens:
            raise NotYetPossible(f"{asset[:60]} is not on this node's list of tokens")
        return token

    def _bound_to(self, transaction: bytes) -> int:
        """Return the chain id in the bytes, which must be of this network; 0 if they name none."""
        chain_id = signable.named_chain(transaction)
        if chain_id is not None and not is_of_network(chain_id, self.network):
            raise UnknownTransaction(f"chain id {chain_id} is not on {self.network.value}")
        return chain_id or 0


def nonce_name(chain_id: int, nonce: int) -> str:
    """Name a nonce of the account, which only one transaction of a chain can use."""
    return f"nonce:{chain_id}:{nonce}"


def _own(keys: PublicKeys) -> bytes:
    return address_of(keys.public_key(ACCOUNT.kind, ACCOUNT.path))


def _amount(amount: int, *, least: int) -> int:
    if not least <= amount < 1 << 256:
        raise TransactionError("the amount must be above zero" if least else "no such amount")
    return amount
