"""Every kind of transaction, signed by a quorum of real nodes and judged by the real runtimes."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from eth_account import Account as Library
from eth_account.messages import encode_defunct, encode_typed_data
from msgspec import structs

from console.adapters.chains.bitcoin.psbt import parse_psbt
from console.adapters.chains.bitcoin.psbt_convert import psbt_of, to_v2
from console.adapters.chains.bitcoin.transaction import Transaction
from console.application.api import (
    CommandRefused,
    GetOverview,
    GetWallet,
    PreviewCall,
    PreviewDurable,
    PreviewImport,
    PreviewMessage,
    PreviewReplacement,
    PreviewTransfer,
    Query,
)
from console.application.commands import FundFromFaucet, ProposeCeremony, ProposeTransfer
from console.application.views import (
    AccountView,
    RequestStage,
    RequestView,
    TransferPreview,
)
from console.demo.cluster import Cluster
from console.devnet.tokens import ETHEREUM_DOLLAR, SOLANA_DOLLAR
from tests.e2e.steps import DESTINATION, Office, until
from tests.e2e.test_lifecycle import ETHER_TO, KINDS, THREE, finish

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

ETHER, SEGWIT, TAPROOT, SOLANA = "m/44/60/0/0/0", "m/84/0/0", "m/86/0/0", "m"
REGTEST_TO = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
FUNDS = (
    ("ethereum", 10**19, ETHER, ""),
    ("ethereum", 5_000_000, ETHER, ETHEREUM_DOLLAR),
    ("bitcoin", 10**8, SEGWIT, ""),
    ("bitcoin", 10**8, TAPROOT, ""),
    ("solana", 10**10, SOLANA, ""),
    ("solana", 5_000_000, SOLANA, SOLANA_DOLLAR),
)


class Treasury:
    """One wallet of three members, and what its operators do with it."""

    def __init__(self, office: Office, wallet: str) -> None:
        self.office = office
        self.wallet = wallet

    async def account(self, path: str) -> AccountView:
        view = await self.office.consoles["ana"].ask(GetWallet(self.wallet, refresh=True))
        return next(account for account in view.accounts if account.path == path)

    async def preview(self, query: Query[TransferPreview]) -> TransferPreview:
        return await self.office.consoles["ana"].ask(query)

    async def ask(self, query: Query[TransferPreview], path: str) -> str:
        """Preview and ask for approval; return the request."""
        preview = await self.preview(query)
        assert preview.problems == ()
        command = ProposeTransfer(
            wallet=self.wallet,
            chain=preview.description.chain,
            transaction=preview.transaction,
            account=path,
        )
        return (await self.office.consoles["ana"].execute(command)).subject

    async def approve(self, request: str) -> None:
        for member in ("ben", "chiara"):
            await self.office.approve(member, request)

    async def ended(self, request: str, stage: RequestStage) -> RequestView:
        """Wait until every member sees the request at its end."""
        views = []
        for member in THREE:

            async def there(member: str = member) -> RequestView | None:
                view = await self.office.request(member, request)
                return view if view.stage is stage else None

            views.append(await until(f"{member} sees {request} {stage.value}", there))
        return views[0]

    async def sign(self, query: Query[TransferPreview], path: str) -> RequestView:
        """Ask, approve, and wait for the confirmation."""
        request = await self.ask(query, path)
        await self.approve(request)
        return await self.ended(request, RequestStage.CONFIRMED)

    async def order(self, chain_path: str, body: dict[str, object]) -> None:
        """Pull one of the devnet's levers."""
        url = f"http://127.0.0.1:{self.office.cluster.devnet_port}{chain_path}"
        async with ClientSession() as session, session.post(url, json=body) as answer:
            assert answer.status == 200

    async def ethereum(self, method: str, *params: object) -> None:
        await self.order(
            "/ethereum", {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def treasury(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Treasury]:
    home: Path = tmp_path_factory.mktemp("chains") / "home"
    office = await Office.open(await Cluster.create(home))
    try:
        for member in THREE:
            await office.start(member)
        command = ProposeCeremony(
            wallet_name="Treasury",
            kinds=KINDS,
            threshold=2,
            custodians=THREE,
            approvals_needed=2,
            expires_in_s=3600,
        )
        ceremony = (await office.consoles["ana"].execute(command)).subject
        await finish(office, ceremony, THREE)
        wallet = await office.completed(ceremony)
        for chain, units, path, asset in FUNDS:
            await office.consoles["ana"].execute(
                FundFromFaucet(
                    wallet=wallet, chain=chain, base_units=units, account=path, asset=asset
                )
            )
        yield Treasury(office, wallet)
    finally:
        await office.close()


@pytest.mark.parametrize(
    ("chain", "path", "to", "amount", "asset"),
    [
        ("ethereum", ETHER, ETHER_TO, "0.25", ""),
        ("ethereum", ETHER, ETHER_TO, "1.5", ETHEREUM_DOLLAR),
        ("bitcoin", SEGWIT, REGTEST_TO, "0.1", ""),
        ("bitcoin", TAPROOT, REGTEST_TO, "0.1", ""),
        ("solana", SOLANA, DESTINATION, "0.5", ""),
        ("solana", SOLANA, DESTINATION, "1.5", SOLANA_DOLLAR),
    ],
    ids=["ether", "erc20", "p2wpkh", "p2tr", "sol", "spl"],
)
async def test_coins_and_tokens_of_every_chain(treasury, chain, path, to, amount, asset):
    query = PreviewTransfer(
        wallet=treasury.wallet, chain=chain, to_address=to, amount=amount, account=path, asset=asset
    )
    view = await treasury.sign(query, path)
    assert view.description.to_address == to
    assert view.transaction_id
    assert view.sentence.startswith("Confirmed in block")


async def test_a_transfer_that_does_not_expire_needs_a_durable_nonce_first(treasury):
    durable = PreviewTransfer(
        wallet=treasury.wallet,
        chain="solana",
        to_address=DESTINATION,
        amount="0.25",
        account=SOLANA,
        durable=True,
    )
    with pytest.raises(CommandRefused, match="durable nonce"):
        await treasury.preview(durable)
    await treasury.sign(PreviewDurable(treasury.wallet, "solana", SOLANA), SOLANA)
    for _ in range(2):
        request = await treasury.ask(durable, SOLANA)
        # Days pass: no blockhash of now will be known any more.
        for _ in range(5):
            await treasury.order("/solana/expire-blockhash", {})
        await treasury.approve(request)
        view = await treasury.ended(request, RequestStage.CONFIRMED)
        assert "Durable nonce" in {field.label for field in view.description.fields}
    # One that cannot be paid any more keeps its nonce until it is cancelled.
    now = PreviewTransfer(
        wallet=treasury.wallet,
        chain="solana",
        to_address=DESTINATION,
        amount="",
        memo="",
        account=SOLANA,
        asset=SOLANA_DOLLAR,
        everything=True,
    )
    request = await treasury.ask(structs.replace(now, durable=True), SOLANA)
    await treasury.sign(now, SOLANA)
    await treasury.approve(request)
    refused = await treasury.ended(request, RequestStage.REFUSED)
    assert refused.can_replace
    view = await treasury.sign(PreviewReplacement(request, cancel=True), SOLANA)
    assert view.description.action == "Cancel"
    assert "replaced" in (await treasury.ended(request, RequestStage.FAILED)).sentence
    funds = FundFromFaucet(
        wallet=treasury.wallet,
        chain="solana",
        base_units=5_000_000,
        account=SOLANA,
        asset=SOLANA_DOLLAR,
    )
    await treasury.office.consoles["ana"].execute(funds)


async def test_a_contract_call_by_its_function(treasury):
    query = PreviewCall(
        wallet=treasury.wallet,
        chain="ethereum",
        to_address=ETHEREUM_DOLLAR,
        function="transfer(address,uint256)",
        arguments=(ETHER_TO, "250000"),
        account=ETHER,
    )
    view = await treasury.sign(query, ETHER)
    assert (view.description.amount, view.description.unit) == ("0.250\u2009000", "DUSD")


async def test_an_unlimited_allowance_is_never_asked_for(treasury):
    query = PreviewCall(
        wallet=treasury.wallet,
        chain="ethereum",
        to_address=ETHEREUM_DOLLAR,
        function="approve(address,uint256)",
        arguments=(ETHER_TO, str(2**256 - 1)),
        account=ETHER,
    )
    preview = await treasury.preview(query)
    assert any("Unlimited" in problem for problem in preview.problems)
    with pytest.raises(CommandRefused):
        await treasury.office.consoles["ana"].execute(
            ProposeTransfer(
                wallet=treasury.wallet,
                chain="ethereum",
                transaction=preview.transaction,
                account=ETHER,
            )
        )


async def test_a_personal_message_and_typed_data(treasury):
    address = (await treasury.account(ETHER)).address
    view = await treasury.sign(
        PreviewMessage(
            wallet=treasury.wallet,
            chain="ethereum",
            text="Quorate holds this account",
            account=ETHER,
        ),
        ETHER,
    )
    assert view.is_message
    signature = bytes.fromhex(view.signed_bytes)
    message = encode_defunct(text="Quorate holds this account")
    assert Library.recover_message(message, signature=signature) == address
    document = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Permit": [
                {"name": "owner", "type": "address"},
                {"name": "spender", "type": "address"},
                {"name": "value", "type": "uint256"},
                {"name": "nonce", "type": "uint256"},
                {"name": "deadline", "type": "uint256"},
            ],
        },
        "primaryType": "Permit",
        "domain": {"name": "Devnet Dollar", "verifyingContract": ETHEREUM_DOLLAR},
        "message": {
            "owner": address,
            "spender": ETHER_TO,
            "value": 0,
            "nonce": 0,
            "deadline": 1_900_000_000,
        },
    }
    preview = await treasury.preview(
        PreviewMessage(
            wallet=treasury.wallet, chain="ethereum", text=json.dumps(document), account=ETHER
        )
    )
    # It names no chain, so its signature would be valid on every one: never asked for.
    assert any("every one" in problem for problem in preview.problems)
    document["types"]["EIP712Domain"].insert(1, {"name": "chainId", "type": "uint256"})
    document["domain"]["chainId"] = 131277322940537
    view = await treasury.sign(
        PreviewMessage(
            wallet=treasury.wallet, chain="ethereum", text=json.dumps(document), account=ETHER
        ),
        ETHER,
    )
    signature = bytes.fromhex(view.signed_bytes)
    typed = encode_typed_data(full_message=document)
    assert Library.recover_message(typed, signature=signature) == address


@pytest.mark.parametrize("path", [SEGWIT, TAPROOT])
async def test_a_bitcoin_message(treasury, path):
    query = PreviewMessage(
        wallet=treasury.wallet, chain="bitcoin", text="Quorate holds this account", account=path
    )
    view = await treasury.sign(query, path)
    assert view.is_message
    assert view.description.from_address == (await treasury.account(path)).address
    assert base64.b64decode(bytes.fromhex(view.signed_bytes).removeprefix(b"smp"), validate=True)


async def test_a_psbt_of_another_program(treasury):
    query = PreviewTransfer(
        wallet=treasury.wallet,
        chain="bitcoin",
        to_address=REGTEST_TO,
        amount="0.05",
        account=SEGWIT,
    )
    drafted = await treasury.preview(query)
    text = base64.b64encode(to_v2(parse_psbt(drafted.transaction)).encode()).decode()
    view = await treasury.sign(
        PreviewImport(wallet=treasury.wallet, chain="bitcoin", text=text, account=SEGWIT), SEGWIT
    )
    assert view.description.to_address == REGTEST_TO


@pytest.mark.parametrize("paths", [(SEGWIT, TAPROOT), (TAPROOT, SEGWIT)], ids=["p2wpkh", "p2tr"])
async def test_one_transaction_spends_coins_of_both_accounts(treasury, paths):
    """Two kinds of keys sign in one session, one protocol after the other."""
    drafts = []
    for path in paths:
        query = PreviewTransfer(
            wallet=treasury.wallet,
            chain="bitcoin",
            to_address=REGTEST_TO,
            amount="0.02",
            account=path,
        )
        drafts.append(parse_psbt((await treasury.preview(query)).transaction))
    first, second = drafts
    joined = Transaction(
        2,
        first.transaction.inputs + second.transaction.inputs,
        first.transaction.outputs + second.transaction.outputs,
    )
    psbt = psbt_of(joined, first.inputs + second.inputs, first.outputs + second.outputs)
    text = base64.b64encode(psbt.encode()).decode()
    view = await treasury.sign(
        PreviewImport(wallet=treasury.wallet, chain="bitcoin", text=text, account=paths[0]),
        paths[0],
    )
    fields = {field.label: field.value for field in view.description.fields}
    assert " and " in fields["Account"]
    assert len({fields[f"Input {n}"].split("/")[1] for n in (1, 2)}) == 2
    assert len([label for label in fields if label.endswith("change")]) == 2
    assert view.sentence.startswith("Confirmed in block")


@pytest.mark.parametrize("cancel", [False, True], ids=["speed-up", "cancel"])
@pytest.mark.parametrize(
    ("chain", "path", "to"),
    [("ethereum", ETHER, ETHER_TO), ("bitcoin", TAPROOT, REGTEST_TO)],
    ids=["ethereum", "bitcoin"],
)
async def test_what_waits_is_replaced_through_a_request_of_its_own(
    treasury, chain, path, to, cancel
):
    if chain == "ethereum":
        await treasury.ethereum("devnet_automine", False)
    else:
        await treasury.order("/bitcoin/devnet/automine", {"on": False})
    try:
        query = PreviewTransfer(
            wallet=treasury.wallet, chain=chain, to_address=to, amount="0.01", account=path
        )
        first = await treasury.ask(query, path)
        await treasury.approve(first)
        shown = await treasury.ended(first, RequestStage.BROADCAST)
        assert shown.can_replace
        second = await treasury.ask(PreviewReplacement(first, cancel=cancel), path)
        await treasury.approve(second)
        await treasury.ended(second, RequestStage.BROADCAST)
    finally:
        if chain == "ethereum":
            await treasury.ethereum("devnet_mine", 1)
            await treasury.ethereum("devnet_automine", True)
        else:
            await treasury.order("/bitcoin/devnet/mine", {"blocks": 1})
            await treasury.order("/bitcoin/devnet/automine", {"on": True})
    await treasury.ended(second, RequestStage.CONFIRMED)
    ended = await treasury.ended(first, RequestStage.FAILED)
    assert "replaced" in ended.sentence


async def test_what_the_chains_node_refuses_stays_open_until_it_is_taken(treasury):
    query = PreviewTransfer(
        wallet=treasury.wallet, chain="ethereum", to_address=ETHER_TO, amount="0.01", account=ETHER
    )
    everything = structs.replace(query, amount="", everything=True)
    first, second = await treasury.ask(everything, ETHER), await treasury.ask(query, ETHER)
    await treasury.approve(first)
    await treasury.ended(first, RequestStage.CONFIRMED)
    await treasury.approve(second)
    shown = await treasury.ended(second, RequestStage.REFUSED)
    assert "cannot pay" in shown.sentence
    assert shown.can_replace
    overview = await treasury.office.consoles["ben"].ask(GetOverview())
    assert second in [task.subject for task in overview.tasks]
    fund = FundFromFaucet(
        wallet=treasury.wallet, chain="ethereum", base_units=10**19, account=ETHER
    )
    await treasury.office.consoles["ana"].execute(fund)
    await treasury.ended(second, RequestStage.CONFIRMED)


async def test_two_requests_of_one_account_do_not_take_each_others_nonce(treasury):
    query = PreviewTransfer(
        wallet=treasury.wallet, chain="ethereum", to_address=ETHER_TO, amount="0.01", account=ETHER
    )
    first = await treasury.ask(query, ETHER)
    second = await treasury.ask(query, ETHER)
    nonces = []
    for request in (first, second):
        described = (await treasury.office.request("ana", request)).description
        nonces += [field.value for field in described.fields if field.label == "Nonce"]
    assert int(nonces[1]) == int(nonces[0]) + 1
    # The later one is approved first, and waits for the earlier one.
    await treasury.approve(second)
    await treasury.approve(first)
    for request in (first, second):
        await treasury.ended(request, RequestStage.CONFIRMED)


async def test_the_same_bytes_are_not_asked_for_twice(treasury):
    query = PreviewTransfer(
        wallet=treasury.wallet,
        chain="bitcoin",
        to_address=REGTEST_TO,
        amount="0.01",
        account=SEGWIT,
    )
    preview = await treasury.preview(query)
    propose = ProposeTransfer(
        wallet=treasury.wallet, chain="bitcoin", transaction=preview.transaction, account=SEGWIT
    )
    request = (await treasury.office.consoles["ana"].execute(propose)).subject
    with pytest.raises(CommandRefused, match="uses the same coins or nonce"):
        await treasury.office.consoles["ana"].execute(propose)
    await treasury.approve(request)
    await treasury.ended(request, RequestStage.CONFIRMED)
