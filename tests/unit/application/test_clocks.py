"""Clocks: each exchange measures the peer's, and most peers together judge our own."""

import pytest

from console.application.errors import LedgerCorrupted, LedgerNewer
from console.application.event_codec import decode_event
from console.application.peers.clocks import PeerClocks, duration
from console.application.peers.messages import Pull, Pulled, encode
from console.application.refusals import refusal
from console.domain.errors import Conflict
from console.domain.ids import MemberId
from console.domain.member import Enrol
from console.domain.times import MAX_CLOCK_SKEW_MS
from console.version import VERSION
from tests.unit.application.test_exchange import BEN, Desk
from tests.unit.domain.facts import CHIARA, EVE

HOUR_MS = 3_600_000


def clocks(**ahead_ms: int) -> PeerClocks:
    measured = PeerClocks()
    for name, ahead in ahead_ms.items():
        measured.observe(MemberId(name), 1000 + ahead, 0, 2000)
    return measured


def test_a_peer_s_clock_is_compared_with_the_middle_of_the_trip() -> None:
    measured = PeerClocks()
    measured.observe(BEN, 61_000, 0, 2_000)
    assert measured.ahead_ms(BEN) == 60_000
    # What took too long, or went back in time, says nothing; nor does a peer of before.
    for told, sent, received in ((99_000, 0, 10_001), (99_000, 2_000, 1_000), (0, 0, 2_000)):
        measured.observe(BEN, told, sent, received)
        assert measured.ahead_ms(BEN) == 60_000
    assert measured.ahead_ms(CHIARA) == 0


@pytest.mark.parametrize(
    ("told", "own"),
    [
        ({}, 0),
        ({"ben": HOUR_MS}, 0),
        ({"ben": HOUR_MS, "chiara": -HOUR_MS}, 0),
        ({"ben": HOUR_MS, "chiara": 2 * HOUR_MS}, -HOUR_MS),
        ({"ben": -HOUR_MS, "chiara": -2 * HOUR_MS, "eve": 0}, HOUR_MS),
    ],
)
def test_most_others_judge_our_clock(told: dict[str, int], own: int) -> None:
    measured = clocks(**told)
    peers = (BEN, CHIARA, EVE) if "eve" in told else (BEN, CHIARA)
    assert measured.own_ahead_ms(peers) == own
    assert measured.is_off(peers) is (abs(own) > MAX_CLOCK_SKEW_MS)
    assert PeerClocks().own_ahead_ms(()) == 0


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (500, "0 seconds"),
        (-119_999, "119 seconds"),
        (120_000, "2 minutes"),
        (-3 * HOUR_MS, "3 hours"),
        (72 * HOUR_MS, "3 days"),
    ],
)
def test_a_difference_is_told_in_words(milliseconds: int, words: str) -> None:
    assert duration(milliseconds) == words


async def test_each_pull_measures_the_clock_and_hears_the_version() -> None:
    desk = await Desk().open()
    mine = await desk.exchange.on_pull(BEN, Pull(0))
    assert isinstance(mine, Pulled)
    assert (mine.now_ms, mine.version) == (desk.clock.now_ms(), VERSION)

    async def handler(_peer: str, _data: bytes) -> bytes:
        ahead = desk.clock.now_ms() + 72 * HOUR_MS
        return encode(Pulled(statements=(), upto=0, your_head=None, now_ms=ahead, version="9.9.9"))

    desk.network.attach(BEN, handler)
    desk.exchange.require_clock()
    await desk.exchange.catch_up(BEN)
    assert desk.exchange.clocks.ahead_ms(BEN) == 72 * HOUR_MS
    assert desk.exchange.versions == {BEN: "9.9.9"}
    # One peer alone may be the one that is wrong.
    desk.exchange.require_clock()
    third = Enrol(member=CHIARA, display_name="C", identity_key=b"k", tls_pin=b"p", address="")
    await desk.aggregates.record_member(CHIARA, third)
    now = desk.clock.now_ms()
    desk.exchange.clocks.observe(CHIARA, now + 80 * HOUR_MS, now, now)
    with pytest.raises(Conflict, match="3 days behind the other members' clocks"):
        desk.exchange.require_clock()


async def test_a_later_version_s_fields_are_passed_over() -> None:
    desk = await Desk().open()
    whole = encode(Pulled(statements=(), upto=0, your_head=None))
    assert whole[0] >> 4 == 8  # a map of few entries
    later = bytes([whole[0] + 1]) + whole[1:] + b"\xa4more\xa5words"

    async def handler(_peer: str, _data: bytes) -> bytes:
        return later

    desk.network.attach(BEN, handler)
    await desk.exchange.catch_up(BEN)


def test_an_event_of_a_later_version_is_called_that() -> None:
    with pytest.raises(LedgerNewer, match=f"a later version of Quorate than {VERSION}") as caught:
        decode_event("signing-request.imagined.v9", b"{}")
    told = refusal(caught.value)
    assert told.code == "ledger-newer"
    assert "Install the later version" in told.next_step
    assert "security officer" not in f"{told.what} {told.safe} {told.next_step}"
    with pytest.raises(LedgerCorrupted):
        decode_event("signing-request.approved.v1", b"{}")
