"""Two requests never use up the same nonce unknowingly (cases C111, C114, docs/chains.md)."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.application.signing.reservations import Reservations
from console.domain.errors import Conflict
from console.domain.events import RequestProposed
from console.domain.ids import MemberId, RequestId, WalletId
from console.domain.policy import Policy
from console.domain.request_commands import (
    Deny,
    RecordBroadcast,
    RecordConfirmation,
    RecordFailure,
    RecordRefusal,
    ReleaseShare,
    RequestCommand,
    Withdraw,
)
from console.domain.signing_request import SigningRequest
from console.domain.values import Chain, Network, Quorum
from tests.unit.domain.facts import (
    ANA,
    APPROVED,
    BEN,
    CUSTODIANS,
    END,
    FIRST,
    START,
    WALLET,
    approve,
    fail,
    request_after,
    said,
    signature,
    start,
)
from tests.unit.ethereum.drafts import Draft

GWEI = 10**9
FRIEND = b"\x22" * 20
RELEASED = (*APPROVED, start(), ReleaseShare(FIRST, START))
SIGNED = (*RELEASED, signature())
SENT = (*SIGNED, RecordBroadcast("transaction-id", START))
CONFIRMED = (*SENT, RecordConfirmation("transaction-id", 9, START))
REFUSED = (*SIGNED, RecordRefusal("fee too low", START))
FAILED = (*SENT, RecordFailure("too old", START))
DENY = Deny(member=BEN, reason="no", at_ms=START, evidence=said(BEN))
WITHDRAW = Withdraw(ANA, START, said(ANA))
DENIED, WITHDRAWN = (DENY,), (WITHDRAW,)


def bytes_of(nonce: int, wei: int = 1, max_fee: int = 30 * GWEI, tip: int = GWEI) -> bytes:
    return Draft(31337, nonce).pay(FRIEND, wei).gas(21_000).fees(max_fee, tip).build()


LEGACY = Draft(31337, 7).pay(FRIEND, 1).gas(21_000).price(30 * GWEI, legacy=True).build()
FIRST_BYTES, OTHER, HIGHER = bytes_of(7), bytes_of(7, wei=2), bytes_of(7, 1, 40 * GWEI, 2 * GWEI)


@dataclass
class Ledger:
    """The requests on record, and what time it is."""

    requests: dict[RequestId, SigningRequest] = field(default_factory=dict)
    now: int = START
    me: MemberId = ANA

    def __post_init__(self) -> None:
        adapter = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
        clock = SimpleNamespace(now_ms=lambda: self.now)
        self.wallets = {WALLET: SimpleNamespace(epoch=0)}
        self.chains = {Chain.ETHEREUM: adapter}
        self.reservations = Reservations(self.me, self, self.chains, clock)

    def add(
        self, name: str, data: bytes, *commands: RequestCommand, wallet: WalletId = WALLET
    ) -> SigningRequest:
        after = request_after(*commands)
        proposal: RequestProposed = replace(
            after.proposal,
            request=RequestId(name),
            wallet=wallet,
            chain=Chain.ETHEREUM,
            transaction=data,
        )
        request = self.requests[proposal.request] = replace(after, proposal=proposal)
        return request

    def held(self) -> frozenset[str]:
        return self.reservations.held(WALLET, Chain.ETHEREUM)


ONE_APPROVAL = (approve(BEN),)
ALL_NEEDED = Policy(1, Quorum(3, CUSTODIANS), 2)


@pytest.mark.parametrize("end", ["expired", "outdated", "denied", "withdrawn"])
@pytest.mark.parametrize(
    ("commands", "holds"),
    [
        ((), False),
        (ONE_APPROVAL, False),
        # The others can have signed without this member.
        (APPROVED, True),
        ((*APPROVED, start()), True),
        # This member gave a share: the others may have a signature.
        (RELEASED, True),
        ((*RELEASED, fail()), True),
    ],
)
def test_what_ended_unsigned_holds_what_a_signature_may_still_use(commands, holds, end):
    ledger = Ledger()
    closing = {"denied": (DENY,), "withdrawn": (WITHDRAW,)}.get(end, ())
    ledger.add("rq-1", FIRST_BYTES, *commands, *closing)
    ledger.wallets[WALLET] = SimpleNamespace(epoch=1 if end == "outdated" else 0)
    ledger.now = END if end == "expired" else START
    for _ in range(2):
        assert bool(ledger.held()) is holds
        if holds:
            # Only the same again, or nothing at all: the chain then takes one of the two.
            ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, HIGHER)
            with pytest.raises(Conflict, match="may exist; make that one again"):
                ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, OTHER)
        else:
            ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, OTHER)
        # Neither time nor another epoch ends it.
        ledger.now, ledger.wallets[WALLET] = 1_000 * END, SimpleNamespace(epoch=7)


@pytest.mark.parametrize("commands", [APPROVED, (*APPROVED, start())])
def test_where_every_share_is_needed_a_member_that_gave_none_knows_that_nothing_was_signed(
    commands,
):
    ledger = Ledger()
    request = ledger.add("rq-1", FIRST_BYTES, *commands)
    ledger.requests[request.proposal.request] = replace(request, policy=ALL_NEEDED)
    ledger.now = END
    assert ledger.held() == frozenset()


def test_what_cannot_be_replaced_holds_nothing_so_that_the_next_takes_the_same_nonce():
    ledger = Ledger()
    ledger.add("rq-1", LEGACY, *RELEASED)
    ledger.now = END
    assert ledger.held() == frozenset()
    ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, OTHER)


def test_another_that_was_confirmed_in_its_place_frees_it():
    ledger = Ledger()
    first = ledger.add("rq-1", FIRST_BYTES, *RELEASED)
    ledger.now = END
    assert ledger.reservations.held_in_doubt(first)
    ledger.add("rq-2", HIGHER, *CONFIRMED)
    assert not ledger.reservations.held_in_doubt(first)


@pytest.mark.parametrize(
    ("commands", "holds"),
    [
        ((), True),
        (APPROVED, True),
        (RELEASED, True),
        (SIGNED, True),
        (SENT, True),
        (REFUSED, True),
        (CONFIRMED, False),
        (FAILED, False),
        (DENIED, False),
        (WITHDRAWN, False),
    ],
)
def test_an_open_request_holds_its_nonce(commands, holds):
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *commands)
    assert ledger.held() == (frozenset({"nonce:31337:7"}) if holds else frozenset())


def test_another_wallet_has_nonces_of_its_own():
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, wallet=WalletId("wl-00000000000000ff"))
    assert ledger.held() == frozenset()
    ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, OTHER)


@pytest.mark.parametrize("commands", [(), APPROVED, RELEASED])
def test_a_nonce_that_is_held_is_not_asked_for_again(commands):
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *commands)
    for data in (FIRST_BYTES, OTHER, HIGHER):
        with pytest.raises(Conflict, match="rq-1 uses the same"):
            ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, data)
    ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, bytes_of(8))


@pytest.mark.parametrize("commands", [SIGNED, SENT, REFUSED])
def test_what_was_sent_is_replaced_by_the_same_for_more_and_by_nothing_else(commands):
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *commands)
    ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, HIGHER)
    for data in (OTHER, bytes_of(7, 1, 31 * GWEI, 2 * GWEI), FIRST_BYTES):
        with pytest.raises(Conflict):
            ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, data)


def test_of_two_proposals_the_first_to_be_signed_stops_the_other():
    ledger = Ledger()
    first = ledger.add("rq-1", FIRST_BYTES, *APPROVED)
    second = ledger.add("rq-2", OTHER, *APPROVED)
    ledger.reservations.require_first(first)
    ledger.reservations.require_first(second)
    ledger.add("rq-1", FIRST_BYTES, *RELEASED)
    with pytest.raises(Conflict, match="rq-1"):
        ledger.reservations.require_first(second)


def test_a_request_does_not_stand_in_its_own_way():
    ledger = Ledger()
    ledger.reservations.require_first(ledger.add("rq-1", FIRST_BYTES, *SIGNED))


def test_a_replacement_is_signed_beside_what_it_replaces():
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *SENT)
    ledger.reservations.require_first(ledger.add("rq-2", HIGHER, *APPROVED))


def test_what_the_chain_confirmed_cannot_be_replaced():
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *CONFIRMED)
    with pytest.raises(Conflict, match="has confirmed another"):
        ledger.reservations.require_first(ledger.add("rq-2", HIGHER, *APPROVED))


@pytest.mark.parametrize("commands", [APPROVED, RELEASED])
def test_a_signer_gives_no_share_beside_a_signature_that_may_exist_except_in_its_place(commands):
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *commands)
    ledger.now = END
    with pytest.raises(Conflict, match="rq-1"):
        ledger.reservations.require_first(ledger.add("rq-2", OTHER, *APPROVED))
    del ledger.requests[RequestId("rq-2")]
    ledger.reservations.require_first(ledger.add("rq-3", HIGHER, *APPROVED))


def test_the_successor_is_what_the_chain_took():
    ledger = Ledger()
    first = ledger.add("rq-1", FIRST_BYTES, *SENT)
    assert ledger.reservations.successor(first) is None
    second = ledger.add("rq-2", HIGHER, *SENT)
    assert ledger.reservations.successor(first) is None
    second = ledger.add("rq-2", HIGHER, *CONFIRMED)
    assert ledger.reservations.successor(first) is second
    assert ledger.reservations.successor(second) is None
