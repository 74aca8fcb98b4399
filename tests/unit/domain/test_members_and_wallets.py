"""Members and their ledger heads, wallets and their certificates."""

from dataclasses import replace

import pytest

from console.domain import member, wallet
from console.domain.ceremony_commands import StartSession
from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.events import GroupKey, WalletActivated
from console.domain.member import Enrol, Member, RecordHead, RecordUnlock
from console.domain.values import SignatureKind
from tests.unit.domain.facts import (
    ALL_ACCEPTED,
    ANA,
    BEN,
    CUSTODIANS,
    FIRST,
    KEYS,
    KIND,
    SEALED,
    START,
    ceremony_after,
    confirm,
    said,
)

ENROL = Enrol(member=BEN, display_name="Ben", identity_key=b"key", tls_pin=b"pin", address="host:1")
CERTIFIED = ceremony_after(*SEALED, *(confirm(m) for m in CUSTODIANS))


def enrolled(*heads: RecordHead) -> Member:
    state: Member | None = None
    for command in (ENROL, *heads):
        for event in member.decide(state, command):
            state = member.evolve(state, event)
    assert state is not None
    return state


def head(sequence: int, at_ms: int, digest: bytes = b"h") -> RecordHead:
    return RecordHead(
        member=BEN, sequence=sequence, hash=digest, signed_at_ms=at_ms, evidence=said(BEN)
    )


def test_enrolling_twice_records_nothing() -> None:
    assert member.decide(enrolled(), ENROL) == ()


@pytest.mark.parametrize("changed", [{"identity_key": b"other"}, {"tls_pin": b"other"}])
def test_a_changed_key_is_a_conflict(changed: dict[str, bytes]) -> None:
    with pytest.raises(Conflict):
        member.decide(enrolled(), replace(ENROL, **changed))  # type: ignore[arg-type]


@pytest.mark.parametrize("command", [RecordUnlock(BEN, START, 1), head(1, START)])
def test_an_unknown_member_is_refused(command: member.MemberCommand) -> None:
    with pytest.raises(UnknownMember):
        member.decide(None, command)


def test_an_unlock_is_remembered() -> None:
    state = enrolled()
    (event,) = member.decide(state, RecordUnlock(BEN, 77, 3))
    after = member.evolve(state, event)
    assert after is not None
    assert after.last_unlocked_ms == 77


def test_the_newest_head_is_remembered() -> None:
    state = enrolled(head(4, 10), head(9, 20))
    assert (state.head_sequence, state.head_hash, state.head_signed_at_ms) == (9, b"h", 20)


def test_a_head_that_went_backwards_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="rolled back"):
        member.decide(enrolled(head(9, 20)), head(8, 21))


def test_a_head_that_was_signed_earlier_and_came_later_is_no_rollback() -> None:
    assert member.decide(enrolled(head(9, 20)), head(8, 19)) == ()


def test_two_heads_with_one_number_are_a_conflict() -> None:
    state = enrolled(head(9, 20))
    assert member.decide(state, head(9, 30)) == ()
    with pytest.raises(Conflict, match="two different"):
        member.decide(state, head(9, 10, b"fork"))


def test_a_wallet_needs_every_certificate() -> None:
    for commands in ((), ALL_ACCEPTED, SEALED, (*SEALED, confirm(ANA), confirm(BEN))):
        with pytest.raises(NotYetPossible):
            wallet.activate(None, ceremony_after(*commands), START)


def test_a_certified_ceremony_makes_a_wallet_once() -> None:
    (event,) = wallet.activate(None, CERTIFIED, START)
    assert isinstance(event, WalletActivated)
    assert [index for index, _ in event.certificate] == [1, 2, 3]
    state = wallet.evolve(None, event)
    assert state is not None
    assert state.key(KIND) == KEYS[0]
    assert state.policy.approvals_needed == 2
    assert wallet.activate(state, CERTIFIED, START) == ()


def test_a_wallet_is_never_activated_with_other_keys() -> None:
    (event,) = wallet.activate(None, CERTIFIED, START)
    state = wallet.evolve(None, event)
    assert state is not None
    other = replace(state, keys=(GroupKey(KIND, b"other", b""),))
    with pytest.raises(Conflict):
        wallet.activate(other, CERTIFIED, START)


def test_a_missing_kind_is_named() -> None:
    (event,) = wallet.activate(None, CERTIFIED, START)
    state = wallet.evolve(None, event)
    assert state is not None
    with pytest.raises(NotYetPossible, match="bls12381-g2"):
        state.key(SignatureKind.BLS12381_G2)


def test_events_of_others_change_no_wallet() -> None:
    event = ceremony_after(*ALL_ACCEPTED, StartSession(FIRST, START)).proposal
    assert wallet.evolve(None, event) is None
