"""Two requests never use up the same nonce unknowingly (cases C111, C114, docs/chains.md)."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest

from console.adapters.chains.ethereum.adapter import EthereumAdapter
from console.application.signing.reservations import Reservations
from console.domain.errors import Conflict
from console.domain.events import RequestProposed
from console.domain.ids import RequestId, WalletId
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
from console.domain.values import Chain, Network
from tests.unit.domain.facts import (
    ANA,
    APPROVED,
    BEN,
    END,
    FIRST,
    START,
    WALLET,
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
DENIED = (Deny(member=BEN, reason="no", at_ms=START, evidence=said(BEN)),)
WITHDRAWN = (Withdraw(ANA, START, said(ANA)),)


def bytes_of(nonce: int, wei: int = 1, max_fee: int = 30 * GWEI, tip: int = GWEI) -> bytes:
    return Draft(31337, nonce).pay(FRIEND, wei).gas(21_000).fees(max_fee, tip).build()


FIRST_BYTES, OTHER, HIGHER = bytes_of(7), bytes_of(7, wei=2), bytes_of(7, 1, 40 * GWEI, 2 * GWEI)


@dataclass
class Ledger:
    """The requests on record, and what time it is."""

    requests: dict[RequestId, SigningRequest] = field(default_factory=dict)
    now: int = START

    def __post_init__(self) -> None:
        adapter = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))
        clock = SimpleNamespace(now_ms=lambda: self.now)
        self.wallets = {WALLET: SimpleNamespace(epoch=0)}
        self.chains = {Chain.ETHEREUM: adapter}
        self.reservations = Reservations(self, self.chains, clock)

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


@pytest.mark.parametrize(
    ("commands", "holds"),
    [
        ((), False),
        (APPROVED, False),
        ((*APPROVED, start()), False),
        # This member gave a share: the others may have a signature.
        (RELEASED, True),
        (SIGNED, True),
        (SENT, True),
        (CONFIRMED, False),
    ],
)
def test_what_nobody_can_sign_any_more_holds_nothing(commands, holds):
    ledger = Ledger()
    request = ledger.add("rq-1", FIRST_BYTES, *commands)
    ledger.wallets[WALLET] = SimpleNamespace(epoch=1)
    assert bool(ledger.held()) is holds
    if not holds:
        ledger.reservations.require_unheld(WALLET, Chain.ETHEREUM, OTHER)
    ledger.now = END
    assert bool(ledger.held()) is (holds and bool(request.signatures))


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


@pytest.mark.parametrize(("commands", "holds"), [((), False), (APPROVED, False), (SENT, True)])
def test_what_expired_unsigned_holds_nothing(commands, holds):
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *commands)
    ledger.now = END
    assert bool(ledger.held()) is holds


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


def test_a_share_that_was_given_in_a_session_that_expired_blocks_nothing():
    ledger = Ledger()
    ledger.add("rq-1", FIRST_BYTES, *RELEASED)
    second = ledger.add("rq-2", OTHER, *APPROVED)
    ledger.now = END
    ledger.reservations.require_first(second)


def test_the_successor_is_what_the_chain_took():
    ledger = Ledger()
    first = ledger.add("rq-1", FIRST_BYTES, *SENT)
    assert ledger.reservations.successor(first) is None
    second = ledger.add("rq-2", HIGHER, *SENT)
    assert ledger.reservations.successor(first) is None
    second = ledger.add("rq-2", HIGHER, *CONFIRMED)
    assert ledger.reservations.successor(first) is second
    assert ledger.reservations.successor(second) is None
