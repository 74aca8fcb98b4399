"""Queries keep answering: with a chain gone, a node that hangs, and one that tells nonsense."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from solders.pubkey import Pubkey

from console.application.actions.operators import MAX_REQUEST_BYTES, OperatorActions
from console.application.api import PreviewTransfer
from console.application.balances import Balances
from console.application.commands import FundFromFaucet, ProposeTransfer
from console.application.errors import ChainUnavailable, TransactionRejected
from console.application.ports.chain import Account, Asset, BalanceChange, Simulation
from console.application.queries import transfer
from console.application.queries.descriptions import described
from console.application.queries.requests import Here, request_row, request_view
from console.application.queries.sentences import NodeFacts
from console.application.queries.timeline import timeline
from console.application.queries.transfer import preview_transfer
from console.application.signing.reservations import Reservations
from console.application.signing.transactions import Transactions
from console.application.views import RequestStage
from console.domain.errors import InvalidAmount, PolicyViolation
from console.domain.ids import WalletId
from console.domain.values import Amount, Chain, Network, SignatureKind
from tests.fakes.chain import FakeChain, FakeCluster
from tests.unit.domain.facts import ANA, APPROVED, BEN, START, WALLET, request_after, signature

ACCOUNT = Account(kind=SignatureKind.EDDSA_ED25519, path="m", label="Solana")
TO = str(Pubkey(bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")))
"""The public key of RFC 8032's first example."""


class Keys:
    def public_key(self, _kind, _path):
        return bytes.fromhex("3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29")


def facts() -> SimpleNamespace:
    """One wallet, and nothing else."""
    wallet = SimpleNamespace(wallet=WALLET, epoch=0, name="Treasury", quorum=None)
    wallets = {WALLET: SimpleNamespace(**vars(wallet))}
    return SimpleNamespace(
        wallet=wallets.__getitem__,
        wallets=wallets,
        requests={},
        members={},
        candidates={},
        everybody=tuple,
    )


def transactions(aggregates, chains) -> Transactions:
    known = Transactions(aggregates, {}, chains)
    known.keys = lambda _wallet: Keys()
    return known


def here(aggregates, chains, known, me, now=START) -> Here:
    clock = SimpleNamespace(now_ms=lambda: now)
    return Here(
        aggregates=aggregates,
        transactions=known,
        reservations=Reservations(me, aggregates, chains, clock),
        host=_NoRuns(),
        me=me,
        now_ms=now,
    )


@pytest.mark.parametrize("network", [None, Network.MAINNET])
@pytest.mark.parametrize("commands", [(), APPROVED, (*APPROVED, signature())])
def test_requests_of_a_chain_that_left_the_settings_are_still_shown(network, commands):
    gone = FakeChain(FakeCluster())
    gone.network = network
    aggregates = facts()
    chains = {Chain.SOLANA: gone} if network else {}
    known = transactions(aggregates, chains)
    aggregates.wallets[WALLET].quorum = SimpleNamespace(threshold=2, custodians=(ANA, BEN))
    request = request_after(*commands)
    row = request_row(request, aggregates, known, BEN, START)
    assert row.chain == "solana"
    assert row.unit == "not decoded"
    view = request_view(request, here(aggregates, chains, known, BEN), NodeFacts())
    assert view.description.network == "devnet"
    assert view.description.red_flags
    assert not view.can_replace
    assert [check.passed for check in view.checks] == [False]
    with pytest.raises(Exception, match="connection"):
        known.describe(request.proposal)
    assert described(known, request.proposal).digest


class _NoRuns:
    def of_subject(self, _subject):
        return ()

    def past_of(self, _subject):
        return ()


def balances(*chains, aggregates=None) -> Balances:
    aggregates, chains = aggregates or facts(), {chain.chain: chain for chain in chains}
    clock = SimpleNamespace(now_ms=lambda: 10**6)
    return Balances(aggregates, transactions(aggregates, chains), chains, clock)


class Telling(FakeChain):
    """Answers with an amount or a trouble, or not until it is let."""

    def __init__(self, chain, answer, let=None):
        super().__init__(FakeCluster())
        self.chain, self.answer, self.let = chain, answer, let
        self.accounts = (ACCOUNT,)
        self.asked = 0

    async def balance(self, account, keys, asset=""):
        self.asked += 1
        if self.let is not None:
            await self.let.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return Amount(self.answer, self.unit, self.decimals)


async def test_a_chain_that_hangs_holds_up_no_other_chains_balance():
    let = asyncio.Event()
    slow, quick = Telling(Chain.SOLANA, 1, let), Telling(Chain.BITCOIN, 2)
    other, aggregates = WalletId("wl-00000000000000ff"), facts()
    aggregates.wallets[other] = SimpleNamespace(wallet=other, epoch=0)
    figures = balances(slow, quick, aggregates=aggregates)

    def told(chain):
        amounts = [figures.of(wallet, chain, ACCOUNT.path).amount for wallet in (WALLET, other)]
        return [amount and amount.base_units for amount in amounts]

    work = asyncio.ensure_future(figures.refresh_stale())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not work.done()
    assert (told(Chain.SOLANA), told(Chain.BITCOIN)) == ([None, None], [2, 2])
    let.set()
    assert set(await work) == {WALLET, other}
    assert (told(Chain.SOLANA), told(Chain.BITCOIN)) == ([1, 1], [2, 2])


@pytest.mark.parametrize(
    "trouble",
    [ChainUnavailable("away"), TransactionRejected("no"), InvalidAmount("an amount is a number")],
)
async def test_no_trouble_with_a_balance_ends_the_node(trouble):
    figures = balances(Telling(Chain.SOLANA, trouble))
    assert await figures.refresh_stale() == (WALLET,)
    balance = figures.of(WALLET, Chain.SOLANA, ACCOUNT.path)
    assert (balance.amount, balance.error) == (None, str(trouble))


async def test_a_node_that_never_tells_a_balance_is_given_up(monkeypatch):
    monkeypatch.setattr("console.application.balances.PATIENCE_S", 0)
    figures = balances(Telling(Chain.SOLANA, 1, asyncio.Event()))
    await figures.refresh(WALLET)
    balance = figures.of(WALLET, Chain.SOLANA, ACCOUNT.path)
    assert "in time" in balance.error


class Foreseeing(FakeChain):
    def __init__(self, simulation):
        super().__init__(FakeCluster())
        self.simulation = simulation

    async def simulate(self, transaction, keys):
        if isinstance(self.simulation, Exception):
            raise self.simulation
        if self.simulation is None:
            await asyncio.Event().wait()
        return self.simulation


def core(chain):
    aggregates = facts()
    known = transactions(aggregates, {chain.chain: chain})
    return SimpleNamespace(
        aggregates=aggregates,
        transactions=known,
        reservations=SimpleNamespace(held=lambda *_: frozenset(), require_unheld=lambda *_: None),
    )


QUESTION = PreviewTransfer(wallet=WALLET, chain="solana", to_address=TO, amount="0.5")


@pytest.mark.parametrize(
    "trouble", [ChainUnavailable("nonsense"), TransactionRejected("no"), InvalidAmount("no amount")]
)
async def test_a_simulation_that_fails_is_a_warning_and_hides_no_balance(trouble):
    preview = await preview_transfer(core(Foreseeing(trouble)), QUESTION)
    assert preview.problems == ()
    assert preview.balance_after
    assert preview.warnings == (f"The chain's node could not simulate the transaction: {trouble}",)


async def test_a_simulation_that_never_ends_is_given_up(monkeypatch):
    monkeypatch.setattr(transfer, "SIMULATION_S", 0)
    preview = await preview_transfer(core(Foreseeing(None)), QUESTION)
    assert preview.problems == ()
    assert "in time" in preview.warnings[0]


async def test_a_simulation_of_more_than_there_can_be_is_shown_as_that():
    changes = (
        BalanceChange(address=TO, amount=1 << 256, unit="SOL", decimals=9),
        BalanceChange(address=TO, amount=-5, unit="SOL", decimals=77),
    )
    preview = await preview_transfer(core(Foreseeing(Simulation("", changes))), QUESTION)
    assert [effect.value for effect in preview.effects] == ["more than there can be"] * 2


async def test_a_node_that_never_builds_is_given_up(monkeypatch):
    monkeypatch.setattr(transfer, "BUILD_S", 0)
    chain = FakeChain(FakeCluster())

    async def build(*_):
        await asyncio.Event().wait()

    chain.build_transaction = build
    with pytest.raises(ChainUnavailable, match="in time"):
        await preview_transfer(core(chain), QUESTION)


def test_a_message_is_told_to_no_chain():
    signed = replace(signature(), transaction_id="message:0x11")
    request = request_after(*APPROVED, signed)
    titles = [item.title for item in timeline(request, {}, None, RequestStage.SIGNED)]
    assert "Signature verified and recorded" in titles
    assert not {"Broadcast", "Confirmed by the chain"} & set(titles)
    request = request_after(*APPROVED, signature())
    titles = [item.title for item in timeline(request, {}, None, RequestStage.SIGNED)]
    assert titles[-2:] == ["Broadcast", "Confirmed by the chain"]


def actions(chain, inside=None) -> OperatorActions:
    inside = inside or asked(chain)
    ports = SimpleNamespace(clock=SimpleNamespace(now_ms=lambda: START))
    return OperatorActions(SimpleNamespace(core=inside, ports=ports, me=ANA))


def asked(chain) -> SimpleNamespace:
    """Give a core that keeps what it publishes."""
    published = []

    async def publish(statement):
        published.append(statement)

    inside = core(chain)
    inside.exchange = SimpleNamespace(
        publish=publish, published=published, require_clock=lambda: None
    )
    inside.balances = SimpleNamespace(refresh=lambda _wallet: asyncio.sleep(0))
    inside.aggregates.wallets[WALLET].policy = SimpleNamespace(version=1)
    return inside


@pytest.mark.parametrize(("tokens", "given"), [(1_000, True), (1_001, False)])
async def test_the_faucet_counts_a_token_in_its_own_decimals(tokens, given):
    chain = FakeChain(FakeCluster())
    chain.assets = (Asset("mint", "LONG", 15),)
    command = FundFromFaucet(
        wallet=WALLET, chain="solana", base_units=tokens * 10**15, asset="mint"
    )
    if given:
        assert (await actions(chain).fund(command)).message == "Funded"
    else:
        with pytest.raises(PolicyViolation):
            await actions(chain).fund(command)


class Odd(FakeChain):
    """Describes whatever it is given, with a fee and a number of signatures."""

    def __init__(self, fee=0, signatures=1):
        super().__init__(FakeCluster())
        self.fee, self.signatures = fee, signatures

    def describe(self, transaction, keys):
        return SimpleNamespace(fee=Amount(self.fee, "SOL", 9))

    def payloads(self, transaction, keys):
        return (b"",) * self.signatures


@pytest.mark.parametrize(
    ("chain", "size", "why"),
    [
        (Odd(), MAX_REQUEST_BYTES + 1, "at most"),
        (Odd(fee=1 << 64), 10, "fee"),
        (Odd(signatures=101), 10, "signatures"),
    ],
)
async def test_what_no_statement_can_carry_is_not_asked_for(chain, size, why):
    command = ProposeTransfer(wallet=WALLET, chain="solana", transaction=bytes(size), note="")
    inside = asked(chain)
    with pytest.raises(PolicyViolation, match=why):
        await actions(chain, inside).propose_transfer(command)
    assert inside.exchange.published == []
    fits = ProposeTransfer(
        wallet=WALLET, chain="solana", transaction=bytes(MAX_REQUEST_BYTES), note=""
    )
    chain = Odd(signatures=100)
    inside = asked(chain)
    await actions(chain, inside).propose_transfer(fits)
    assert len(inside.exchange.published) == 1
