"""Whom a coordinator asks to sign."""

from collections.abc import Mapping

import pytest

from console.application.ports.network import PeerHealth
from console.application.sagas.signing import choose_signers
from console.domain.ids import MemberId
from tests.unit.domain.facts import ANA, APPROVED, BEN, CHIARA, request_after

REQUEST = request_after(*APPROVED)


def link(latency_s: float = 0.01, *, online: bool = True) -> PeerHealth:
    return PeerHealth(online, latency_s, None)


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        # Ben answers, but his vault is locked.
        ({BEN: link(), CHIARA: link()}, (ANA, CHIARA)),
        ({BEN: link(), CHIARA: link(0.9)}, (ANA, CHIARA)),
        ({BEN: link(0.9), CHIARA: link(online=False)}, (ANA, BEN)),
        ({BEN: link()}, (ANA, BEN)),
    ],
)
def test_a_locked_member_comes_after_the_unlocked_and_before_the_unreachable(
    links: Mapping[MemberId, PeerHealth], expected: tuple[MemberId, ...]
) -> None:
    assert choose_signers(REQUEST, ANA, links, frozenset({BEN}), frozenset()) == expected


def test_what_is_locked_and_unreachable_is_unreachable() -> None:
    links = {BEN: link(online=False), CHIARA: link(0.9)}
    both = frozenset({BEN, CHIARA})
    assert choose_signers(REQUEST, ANA, links, both, frozenset()) == (ANA, CHIARA)


@pytest.mark.parametrize(
    ("health", "excluded", "expected"),
    [
        ({BEN: link(), CHIARA: link()}, set(), (ANA, BEN)),
        ({BEN: link(online=False), CHIARA: link()}, set(), (ANA, CHIARA)),
        ({BEN: link(0.9), CHIARA: link(0.01)}, set(), (ANA, CHIARA)),
        ({BEN: link(0.011), CHIARA: link(0.01)}, set(), (ANA, BEN)),
        ({BEN: link(), CHIARA: link()}, {BEN}, (ANA, CHIARA)),
        ({BEN: link(), CHIARA: link(online=False)}, {BEN}, (ANA, CHIARA)),
        ({BEN: link(), CHIARA: link()}, {BEN, CHIARA}, (ANA, BEN)),
        ({}, set(), (ANA, BEN)),
    ],
)
def test_us_then_the_healthy_then_the_quick(
    health: Mapping[MemberId, PeerHealth], excluded: set[MemberId], expected: tuple[MemberId, ...]
) -> None:
    assert choose_signers(REQUEST, ANA, health, frozenset(), frozenset(excluded)) == expected


def test_signers_are_in_roster_order_whoever_leads() -> None:
    chosen = choose_signers(
        REQUEST, CHIARA, {ANA: link(), BEN: link(0.9)}, frozenset(), frozenset()
    )
    assert chosen == (ANA, CHIARA)
