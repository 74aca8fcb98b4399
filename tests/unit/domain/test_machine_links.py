"""Addresses and TLS keys of machines: the newest counts, in whichever order it arrives."""

from dataclasses import replace
from itertools import permutations

import pytest

from console.domain import member
from console.domain.errors import AlreadyDecided, UnknownMember
from console.domain.events import AddressChanged, AddressSetHere, Event, LinkKeyChanged
from console.domain.machine_links import LinkEvent, MachineLinks
from console.domain.member import ChangeLink, Member
from tests.unit.domain.facts import ANA, BEN, CHIARA, START, said
from tests.unit.domain.test_machines import ENROL, MACHINE, by, endorsed, fold

FIRST = b"old pin"


def moved(to: str, after_s: int = 0, digest: bytes = b"a") -> AddressChanged:
    return AddressChanged(
        member=BEN, address=to, digest=digest, at_ms=START + after_s, evidence=said(BEN)
    )


def key(pin: bytes, after_s: int, *, alone: bool, digest: bytes = b"k") -> LinkKeyChanged:
    return LinkKeyChanged(
        member=BEN,
        certificate=b"PEM of " + pin,
        tls_pin=pin,
        alone=alone,
        digest=digest,
        at_ms=START + after_s,
        evidence=said(BEN),
    )


def ben(*events: LinkEvent) -> Member:
    state = fold(None, *member.decide(None, ENROL))
    for event in events:
        state = fold(state, *decided(state, event))
    assert state is not None
    return state


def decided(state: Member | None, event: LinkEvent) -> tuple[Event, ...]:
    return member.decide(state, ChangeLink(event))


MOVES = (moved("host:2", 1), moved("host:3", 9), moved("host:4", 5), moved("host:5", 9, b"b"))


@pytest.mark.parametrize("order", list(permutations(MOVES)))
def test_of_addresses_the_newest_counts_in_any_order(order: tuple[AddressChanged, ...]) -> None:
    assert ben(*order).address == "host:5"


KEYS = (
    key(b"second", 1, alone=False),
    key(b"second", 2, alone=True),
    key(b"third", 3, alone=False),
    key(b"fourth", 3, alone=False, digest=b"l"),
)


@pytest.mark.parametrize("order", list(permutations(KEYS)))
def test_of_keys_the_newest_counts_beside_the_newest_that_is_alone(
    order: tuple[LinkKeyChanged, ...],
) -> None:
    assert ben(*order).tls_pins == {b"second", b"fourth"}


def test_a_key_counts_beside_the_one_before_until_it_is_alone() -> None:
    coming, alone = KEYS[:2]
    assert ben().tls_pins == {FIRST}
    assert ben(coming).tls_pins == {FIRST, b"second"}
    assert ben(coming, alone).tls_pins == {b"second"}
    assert ben(alone, coming).tls_pins == {b"second"}


def test_what_is_older_or_known_is_not_recorded_again() -> None:
    state = ben(*MOVES, *KEYS)
    assert not any(decided(state, event) for event in (*MOVES, *KEYS))


def test_a_machine_that_is_admitted_later_has_its_own_address_and_key() -> None:
    before = ben(*MOVES, *KEYS, AddressSetHere(BEN, "here:1", START))
    after = endorsed(before, by(ANA), by(CHIARA))
    assert (after.address, after.tls_pins) == (MACHINE.address, {MACHINE.tls_pin})
    assert after.links == MachineLinks()


def test_the_roster_file_is_no_contradiction_after_the_key_was_changed() -> None:
    assert member.decide(ben(*KEYS), ENROL) == ()


def test_an_address_set_here_holds_until_the_member_signs_one() -> None:
    set_here = ben(moved("host:2", 1), AddressSetHere(BEN, "here:1", START + 50))
    assert (set_here.links.set_here, set_here.address) == ("here:1", "host:2")
    with pytest.raises(AlreadyDecided):
        decided(set_here, AddressSetHere(BEN, "here:1", START + 60))
    # Its date may be earlier: the two clocks differ, and the member knows where it is.
    signed = fold(set_here, *decided(set_here, moved("host:3", 9)))
    assert signed is not None
    assert (signed.links.set_here, signed.address) == ("", "host:3")
    taken_back = fold(set_here, *decided(set_here, AddressSetHere(BEN, "", START + 60)))
    assert taken_back is not None
    assert taken_back.links.set_here == ""


def test_of_an_unknown_member_nothing_is_recorded() -> None:
    with pytest.raises(UnknownMember):
        decided(None, moved("host:2"))
    assert member.evolve(None, moved("host:2")) is None
    assert replace(ben(), links=MachineLinks()) == ben()
