"""The balance that must be there, and the balance after: of the account that signs alone."""

import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from solders.system_program import (
    CreateAccountParams,
    TransferWithSeedParams,
    create_account,
    transfer_with_seed,
)

from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.adapters.chains.ethereum.address import address_of, checksummed
from console.adapters.chains.ethereum.build import call_data
from console.adapters.chains.solana import adapter as solana_adapter
from console.adapters.chains.solana import programs
from console.adapters.chains.solana.adapter import SolanaAdapter
from console.adapters.chains.solana.nonce import creation, nonce_address
from console.application.api import PreviewImport, PreviewMessage
from console.application.errors import ChainUnavailable
from console.application.queries.transfer import preview_import, preview_message
from console.application.views import TransferPreview
from console.domain.ids import WalletId
from console.domain.values import Network
from tests.contract.keys import SigningKey
from tests.unit.ethereum.documents import encoded, user_operation
from tests.unit.ethereum.drafts import Draft
from tests.unit.ethereum.nodes import SaidNode, adapter_over
from tests.unit.ethereum.places import ETHER, FRIEND, GWEI
from tests.unit.solana import messages as solana
from tests.unit.solana.test_instructions import STAKE_ACCOUNT

CASES = Path(__file__).parents[1] / "ethereum" / "cases"
WALLET = WalletId("wl-0000000000000001")
SAFE = "0x1c511d88ba898b4D9cd9113D13B9c360a02Fcea1"
KEYS = SigningKey(solana.PAYER)
MILLI = ETHER // 1000
FEE = 100_000 * 30 * GWEI
SIGNATURE = 5_000


class _SolanaNode:
    """Knows a balance, and which accounts there are."""

    def __init__(self, balance: int, *there: object) -> None:
        self._balance, self._there = balance, there

    async def balance(self, _account: object) -> int:
        return self._balance

    async def account(self, account: object) -> tuple[object, bytes] | None:
        return (programs.TOKEN, b"") if account in self._there else None

    async def deposit(self, size: int) -> int:
        return size * 10_000

    async def accounts(self, _accounts: object) -> object:
        raise ChainUnavailable("no simulation here")


def ethereum(balance: int, network: Network = Network.MAINNET) -> EthereumAdapter:
    chain_id = "0x1" if network is Network.MAINNET else "0x7a69"
    said = SaidNode(eth_chainId=chain_id, eth_getBalance=hex(balance))
    return adapter_over(network, said, trusted=(SAFE,))


def core(adapter: object) -> SimpleNamespace:
    wallet = SimpleNamespace(wallet=WALLET)
    return SimpleNamespace(
        aggregates=SimpleNamespace(wallet=lambda _: wallet, requests={}),
        transactions=SimpleNamespace(
            keys=lambda _: KEYS,
            chain=lambda _: adapter,
            account_at=lambda *_: adapter.accounts[0],
            own_address=lambda _wallet, _adapter, _payer, own: own,
        ),
        reservations=SimpleNamespace(held=lambda *_: frozenset(), require_unheld=lambda *_: None),
    )


async def on_ethereum(
    text: str, balance: int, network: Network = Network.MAINNET
) -> TransferPreview:
    inside = core(ethereum(balance, network))
    if text.startswith("{"):
        asked = PreviewMessage(wallet=WALLET, chain="ethereum", text=text)
        return await preview_message(inside, asked)
    asked = PreviewImport(wallet=WALLET, chain="ethereum", text=text)
    return await preview_import(inside, asked)


async def on_solana(data: bytes, balance: int, *there: object) -> TransferPreview:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(solana_adapter, "SolanaNode", lambda *_: _SolanaNode(balance, *there))
        adapter = SolanaAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
    asked = PreviewImport(wallet=WALLET, chain="solana", text=data.hex())
    return await preview_import(core(adapter), asked)


def plain(text: str) -> str:
    return text.replace("\u2009", "")


async def test_an_owner_signs_for_a_safe_without_any_coins() -> None:
    preview = await on_ethereum((CASES / "safetx_1eth.json").read_text(), 0)
    assert preview.problems == ()
    assert (preview.description.amount[0], plain(preview.balance_after)) == ("1", f"0.{'0' * 18}")


async def test_a_safes_execution_costs_its_sender_only_the_fee() -> None:
    text = (CASES / "execTransaction_1eth.hex").read_text()
    preview = await on_ethereum(text, 10 * MILLI)
    assert preview.problems == ()
    assert plain(preview.balance_after) == f"0.004{'0' * 15}"
    poor = await on_ethereum(text, 6 * MILLI - 1)
    assert poor.problems == ("The balance does not cover the amount and the fee.",)


ACCOUNT = address_of(KEYS.public_key(EthereumAdapter.accounts[0].kind, "m/44/60/0/0/0"))
OWN_BATCH = call_data("executeBatch(address[],uint256[],bytes[])", [FRIEND] * 2, [7, 5], [b""] * 2)


@pytest.mark.parametrize(
    ("call", "needed", "back"),
    [
        (Draft(31337, 0).pay(FRIEND, 12), 12, 0),
        (Draft(31337, 0).pay(ACCOUNT, 12), 12, 12),
        (Draft(31337, 0).create(b"\x60", 12), 12, 0),
        # An allowance is described in tokens; the coins that go along leave nevertheless.
        (
            Draft(31337, 0).call(
                b"\xa0" * 20, call_data("approve(address,uint256)", FRIEND, 10**30), 12
            ),
            12,
            0,
        ),
        # An account that acts by code (EIP-7702) sends what its own batch says.
        (Draft(31337, 0).call(ACCOUNT, OWN_BATCH), 12, 0),
        (Draft(31337, 0).call(b"\xd0" * 20, OWN_BATCH), 0, 0),
        (Draft(31337, 0).call(b"\xa0" * 20, b"\xde\xad\xbe\xef", 12), 12, 0),
    ],
)
async def test_what_a_transaction_takes_from_its_sender(
    call: Draft, needed: int, back: int
) -> None:
    text = call.gas(100_000).fees(30 * GWEI, 1).build().hex()
    enough = await on_ethereum(text, needed + FEE, Network.DEVNET)
    assert not [problem for problem in enough.problems if "balance" in problem]
    assert int(plain(enough.balance_after).replace(".", "")) == back
    short = await on_ethereum(text, needed + FEE - 1, Network.DEVNET)
    assert "The balance does not cover the amount and the fee." in short.problems


async def test_a_user_operation_can_be_requested_with_the_fee_that_it_names() -> None:
    preview = await on_ethereum((CASES / "userop_v08.json").read_text(), 0)
    assert preview.problems == ()
    assert plain(preview.fee_ceiling) == plain(preview.description.fee) == f"0.0046{'0' * 14}"
    assert (preview.description.amount[:3], preview.description.red_flags) == ("0.1", ())


async def test_a_user_operation_is_paid_by_its_account() -> None:
    text = encoded(user_operation()).decode()
    preview = await on_ethereum(text, 0, Network.DEVNET)
    assert not [problem for problem in preview.problems if "balance" in problem]
    own = encoded(user_operation(sender=checksummed(ACCOUNT))).decode()
    short = await on_ethereum(own, ETHER - 1, Network.DEVNET)
    assert "The balance does not cover the amount and the fee." in short.problems


STAKE_BACK = solana.called(
    programs.STAKE,
    b"\4\0\0\0" + struct.pack("<Q", 10**9),
    STAKE_ACCOUNT,
    solana.ME,
    programs.CLOCK,
    programs.STAKE_HISTORY,
    solana.ME,
)
NONCE_BACK = solana.called(
    programs.SYSTEM,
    b"\5\0\0\0" + struct.pack("<Q", 10**9),
    nonce_address(solana.ME, 0),
    solana.ME,
    programs.RECENT_BLOCKHASHES,
    programs.RENT,
    solana.ME,
)
DERIVED = transfer_with_seed(
    TransferWithSeedParams(
        from_pubkey=STAKE_ACCOUNT,
        from_base=solana.ME,
        from_seed="stake",
        from_owner=programs.SYSTEM,
        to_pubkey=solana.ME,
        lamports=10**9,
    )
)
CREATED = create_account(
    CreateAccountParams(
        from_pubkey=solana.ME,
        to_pubkey=solana.FRIEND,
        lamports=12,
        space=0,
        owner=programs.SYSTEM,
    )
)


@pytest.mark.parametrize(
    ("instructions", "needed", "back", "signers"),
    [
        ([STAKE_BACK], 0, 10**9, 1),
        ([NONCE_BACK], 0, 10**9, 1),
        ([DERIVED], 0, 10**9, 1),
        ([solana.paid(lamports=12)], 12, 0, 1),
        ([solana.paid(to=solana.ME, lamports=12)], 12, 12, 1),
        ([STAKE_BACK, solana.paid(lamports=12)], 12, 10**9, 1),
        (creation(solana.ME, 0, 12), 12, 0, 1),
        ([CREATED], 12, 0, 2),
        # The first thing is told in tokens; the coins leave nevertheless.
        ([solana.account_made(), solana.tokens_sent(), solana.paid(lamports=12)], 12, 0, 1),
    ],
)
async def test_what_a_message_takes_from_the_wallet(
    instructions: list, needed: int, back: int, signers: int
) -> None:
    data, fee = solana.message(*instructions), signers * SIGNATURE
    there = solana.token_account(solana.FRIEND, solana.MINT, programs.TOKEN)
    enough = await on_solana(data, needed + fee, there)
    assert not [problem for problem in enough.problems if "balance" in problem]
    assert int(plain(enough.balance_after).replace(".", "")) == back
    short = await on_solana(data, needed + fee - 1, there)
    assert "The balance does not cover the amount and the fee." in short.problems


async def test_the_deposit_of_a_token_account_that_a_draft_makes_is_counted() -> None:
    data = solana.message(solana.account_made(), solana.tokens_sent())
    preview = await on_solana(data, SIGNATURE + 1_650_000)
    assert not [problem for problem in preview.problems if "balance" in problem]
    assert int(plain(preview.balance_after).replace(".", "")) == 0
    short = await on_solana(data, SIGNATURE + 1_649_999)
    assert "The balance does not cover the amount and the fee." in short.problems
