"""Planning: lifetimes, prices and accounts from the chain, and the message made of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from solders.pubkey import Pubkey

from console.adapters.chains.solana.address import parse_address, parse_any_address, token_account
from console.adapters.chains.solana.build import (
    MessageTerms,
    MintFacts,
    build_nonce_account,
    build_token_transfer,
    build_transfer,
)
from console.adapters.chains.solana.instructions.decode import readings_of
from console.adapters.chains.solana.instructions.token import CREATE_ASSOCIATED
from console.adapters.chains.solana.memo import encode_memo
from console.adapters.chains.solana.message import ParsedMessage, parse_message
from console.adapters.chains.solana.node import MAX_UNIT_PRICE, SolanaNode
from console.adapters.chains.solana.nonce import (
    NONCE_ACCOUNTS,
    NONCE_BYTES,
    DurableNonce,
    consumed,
    made_name,
    nonce_address,
    parse_nonce_account,
    used_name,
)
from console.adapters.chains.solana.programs import SYSTEM, TOKEN_2022
from console.adapters.chains.solana.replacing import is_replaceable, replacement, unit_price
from console.adapters.chains.solana.request import MAX_OWNERS, unproven, with_owners
from console.adapters.chains.solana.token_state import (
    EXTENDED_ACCOUNT_BYTES,
    TOKEN_ACCOUNT_BYTES,
    parse_holding,
    parse_mint,
)
from console.application.errors import ChainUnavailable, InvalidAddress, TransactionError
from console.application.ports.chain import Asset, FeeLevel, TransferIntent
from console.domain.errors import NotYetPossible

BLOCKHASH_VALID_S: Final = 60
"""Lifetime of a blockhash: 150 slots of 0.4 s."""
_LEAST_RAISE: Final = 1_000
"""Millionths of a lamport for a compute unit."""
MOST_ALIKE: Final = 16
"""Identical transfers that may be built on one blockhash."""


@dataclass(frozen=True, slots=True)
class PlannedMessage:
    """A message, the highest deposit for accounts that it creates, and its lifetime."""

    message: bytes
    deposit: int
    valid_for_s: int | None


class Planner:
    """Builds messages from intents."""

    def __init__(self, node: SolanaNode, listed: Mapping[str, Asset]) -> None:
        self._node = node
        self._listed = listed
        self.dangers: dict[str, tuple[str, ...]] = {}
        """What the chain said last of listed mints, each time that one was read."""

    async def transfer(
        self, intent: TransferIntent, wallet: Pubkey, reserved: frozenset[str]
    ) -> PlannedMessage:
        """Return a transfer of coins or of a listed token.

        Raises: InvalidAddress, TransactionError, NotYetPossible, ChainUnavailable.
        """
        to = parse_address(intent.to_address)
        encode_memo(intent.memo)
        listed = self.listed(intent.asset) if intent.asset else None
        lifetime = (
            await self._free_nonce(wallet, reserved)
            if intent.durable
            else await self._node.blockhash()
        )
        valid_for_s = None if intent.durable else BLOCKHASH_VALID_S
        await self._check_receiver(to)
        if listed is None:
            terms = MessageTerms(
                lifetime, await self._node.unit_price(intent.fee_level, [wallet, to])
            )
            build = partial(build_transfer, wallet, to, intent.amount, intent.memo)
            return PlannedMessage(_distinct(build, terms, reserved), 0, valid_for_s)
        token = await self.token(listed)
        for danger in self.dangers[listed.address]:
            raise TransactionError(f"{danger}; not offered")
        arrival = token_account(to, token.mint, token.program)
        terms = MessageTerms(
            lifetime, await self._node.unit_price(intent.fee_level, [wallet, arrival])
        )
        build = partial(build_token_transfer, wallet, to, intent.amount, intent.memo, token)
        deposit = await self._deposit_for(arrival, token.program)
        return PlannedMessage(_distinct(build, terms, reserved), deposit, valid_for_s)

    async def nonce_account(self, wallet: Pubkey, reserved: frozenset[str]) -> PlannedMessage:
        """Return the creation of the wallet's next nonce account.

        Raises: NotYetPossible if it has them all; ChainUnavailable.
        """
        lifetime = await self._node.blockhash()
        deposit = await self._node.deposit(NONCE_BYTES)
        price = await self._node.unit_price(FeeLevel.NORMAL, [wallet])
        for number in range(NONCE_ACCOUNTS):
            account = nonce_address(wallet, number)
            if made_name(account) not in reserved and not await self._node.account(account):
                message = build_nonce_account(
                    wallet, number, deposit, MessageTerms(lifetime, price)
                )
                return PlannedMessage(message, 0, BLOCKHASH_VALID_S)
        raise NotYetPossible(f"this wallet has all of its {NONCE_ACCOUNTS} durable nonces")

    async def read_mints(self, message: ParsedMessage) -> None:
        """Read the mints that `unread` names. Raises: ChainUnavailable."""
        await asyncio.gather(*(self.token(self._listed[mint]) for mint in self.unread(message)))

    def unread(self, message: ParsedMessage) -> tuple[str, ...]:
        """Return the listed mints of Token-2022 in a message that were never read.

        Their extensions may change what a transfer does, and are not in its bytes.
        """
        named = (
            str(reading.key("Mint"))
            for reading in readings_of(message)
            if reading.call.program == TOKEN_2022 and "Mint" in reading.accounts
        )
        return tuple(
            mint
            for mint in dict.fromkeys(named)
            if mint in self._listed.keys() - self.dangers.keys()
        )

    async def replacement(
        self, old: ParsedMessage, level: FeeLevel, *, cancel: bool
    ) -> PlannedMessage:
        """Return a replacement of a message with a durable nonce.

        Raises: NotYetPossible, ChainUnavailable.
        """
        if not is_replaceable(old):
            raise NotYetPossible("only what waits with a durable nonce can be replaced on Solana")
        offered = unit_price(old)
        usual = await self._node.unit_price(level, sorted(old.writable, key=str))
        price = usual if cancel else max(usual, offered + max(offered // 10, _LEAST_RAISE))
        if price > MAX_UNIT_PRICE:
            raise NotYetPossible("it offers the most for early execution already")
        return PlannedMessage(replacement(old, price, cancel=cancel), 0, None)

    async def completed(self, draft: PlannedMessage, wallet: Pubkey) -> PlannedMessage:
        """Return a draft with what its bytes do not tell: deposits, and owners of token accounts.

        Raises: UnknownTransaction, ChainUnavailable.
        """
        message = parse_message(draft.message)
        deposit, owners = await asyncio.gather(
            self._deposits(message, wallet), self._owners(message)
        )
        return replace(draft, message=with_owners(draft.message, owners), deposit=deposit)

    async def _deposits(self, message: ParsedMessage, wallet: Pubkey) -> int:
        """Return what `wallet` deposits for token accounts; one that exists costs nothing."""
        made = {
            reading.key("Token account"): reading.key("Token program")
            for reading in readings_of(message)
            if reading.shape is CREATE_ASSOCIATED and reading.key("Payer") == wallet
        }
        deposits = (self._deposit_for(account, program) for account, program in made.items())
        return sum(await asyncio.gather(*deposits))

    async def _owners(self, message: ParsedMessage) -> tuple[Pubkey, ...]:
        """Return the owners that the message does not name, where their address proves them."""
        transfers = unproven(message)[:MAX_OWNERS]
        found = await asyncio.gather(
            *(self._node.account(reading.key("To token account")) for reading in transfers)
        )
        owners = []
        for reading, account in zip(transfers, found, strict=True):
            holding = parse_holding(*account) if account else None
            mint, program = reading.key("Mint"), reading.call.program
            if holding and holding.mint == mint:
                derived = token_account(holding.owner, mint, program)
                if derived == reading.key("To token account"):
                    owners.append(holding.owner)
        return tuple(owners)

    def listed(self, asset: str) -> Asset:
        """Return a listed token. Raises: NotYetPossible."""
        found = self._listed.get(asset)
        if found is None:
            raise NotYetPossible("this token is not listed in the node's settings")
        return found

    async def token(self, asset: Asset) -> MintFacts:
        """Return a listed token's mint, program and decimals. Raises: ChainUnavailable."""
        mint = parse_any_address(asset.address)
        found = await self._node.account(mint)
        if found is None:
            raise ChainUnavailable(f"{asset.unit} has no mint on this cluster")
        program, data = found
        read = parse_mint(program, data)
        self.dangers[asset.address] = read.dangers
        if read.decimals != asset.decimals:
            raise ChainUnavailable(f"{asset.unit} has other decimals here than are listed for it")
        return MintFacts(mint, program, asset.decimals)

    async def _check_receiver(self, to: Pubkey) -> None:
        """Check that the receiver is no account with a program's data, such as a token account.

        A multisig is paid at its vault, which has none. Raises: InvalidAddress.
        """
        found = await self._node.account(to)
        if found and (found[0] != SYSTEM or found[1]):
            raise InvalidAddress(
                "this account holds the data of a program, so what is sent there may be lost; "
                "give the address of its owner, or of the multisig's vault"
            )

    async def _free_nonce(self, wallet: Pubkey, reserved: frozenset[str]) -> DurableNonce:
        for number in range(NONCE_ACCOUNTS):
            account = nonce_address(wallet, number)
            found = await self._node.account(account)
            nonce = parse_nonce_account(account, *found) if found else None
            if nonce and nonce.authority == wallet and used_name(nonce) not in reserved:
                return nonce
        raise NotYetPossible("a durable transfer needs a free durable nonce: make one first")

    async def _deposit_for(self, account: Pubkey, program: Pubkey) -> int:
        """Return the deposit for a token account, 0 if it exists."""
        if await self._node.account(account):
            return 0
        size = EXTENDED_ACCOUNT_BYTES if program == TOKEN_2022 else TOKEN_ACCOUNT_BYTES
        return await self._node.deposit(size)


def _distinct(
    build: Callable[[MessageTerms], bytes], terms: MessageTerms, reserved: frozenset[str]
) -> bytes:
    """Return a message that consumes nothing reserved, though an identical payment may wait.

    Raises: NotYetPossible, TransactionError.
    """
    for variant in range(MOST_ALIKE):
        message = build(replace(terms, variant=variant))
        if not consumed(message) & reserved:
            return message
    raise NotYetPossible("the same transfer waits too often; wait a second for a new blockhash")


async def token_holding(node: SolanaNode, wallet: Pubkey, token: MintFacts) -> int:
    """Return the base units in a wallet's own account of a token, 0 if there is none."""
    found = await node.account(token_account(wallet, token.mint, token.program))
    holding = parse_holding(*found) if found else None
    if holding is None or (holding.mint, holding.owner) != (token.mint, wallet):
        return 0
    return holding.amount
