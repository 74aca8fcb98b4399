"""Addresses and TLS keys as statements: read strictly, recorded once, counted, and shown."""

from types import SimpleNamespace
from typing import Any

import pytest

from console.application.commands import address_problem
from console.application.peers.machines import MachineService
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.statements import AddressChange, LinkKeyChange
from console.application.ports.link_keys import MachineUnusable
from console.application.ports.network import LinkTrouble, PeerHealth
from console.application.queries.links import WARN_BEFORE_MS, certificate_tasks, link_views
from console.application.queries.people import member_views
from console.domain.errors import Conflict, DomainError, PolicyViolation
from console.domain.quotas import DAY_MS, Counted
from console.version import VERSION
from tests.fakes.network import FakeNetwork, FakePort
from tests.unit.application.desk import MEMBERS, Desk
from tests.unit.domain.facts import ANA, BEN, CHIARA


class Scene:
    """Ana's desk with her machines' service; the others only sign."""

    async def open(self) -> "Scene":
        self.desk = await Desk().open()
        self.port: FakePort = FakeNetwork().plug(ANA, MEMBERS, self.desk.clock)
        self.machines = MachineService(
            ANA,
            self.desk.aggregates,
            network=self.port,
            clock=self.desk.clock,
            publish=self.desk.publish,
        )
        self.desk.__dict__["handlers"] = self.machines.handlers
        return self

    def core(self, **health: PeerHealth) -> Any:
        """Return as much of a core as the queries read."""
        network = SimpleNamespace(keys=self.port.keys, health=lambda: health)
        return SimpleNamespace(
            me=ANA,
            aggregates=self.desk.aggregates,
            machines=self.machines,
            ports=SimpleNamespace(network=network),
            exchange=SimpleNamespace(versions={BEN: "0.9.0", CHIARA: VERSION}),
        )


@pytest.fixture
async def scene() -> Scene:
    return await Scene().open()


async def test_a_new_address_is_recorded_dialled_and_not_recorded_twice(scene: Scene) -> None:
    now = scene.desk.now_ms
    moved = AddressChange(now, "ben.example.net:1")
    await scene.desk.hear(BEN, moved)
    await scene.desk.hear(BEN, AddressChange(now - 5, "old.example.net:1"))
    await scene.desk.hear(BEN, moved)
    assert scene.desk.steps == ["recorded AddressChanged"]
    assert scene.port.addresses[BEN] == "ben.example.net:1"


@pytest.mark.parametrize("address", ["ben", "ben:0", "ben:1:1", "a b:1", "\u0430na.net:1"])
async def test_what_is_no_address_is_refused_before_and_after_it_is_signed(
    scene: Scene, address: str
) -> None:
    assert "host:port" in address_problem(address)
    with pytest.raises(DomainError, match="host:port"):
        await scene.desk.hear(BEN, AddressChange(scene.desk.now_ms, address))
    with pytest.raises(DomainError, match="host:port"):
        await scene.machines.addresses.move(address, scene.desk.now_ms)
    with pytest.raises(DomainError, match="host:port"):
        await scene.machines.addresses.set_here(BEN, address, scene.desk.now_ms)
    assert scene.desk.steps == []


async def test_own_statements_are_newer_than_those_before_them(scene: Scene) -> None:
    """A clock that was ahead when the last one was signed makes the next one no older."""
    now = scene.desk.now_ms
    await scene.machines.addresses.move("ana:2", now + 9_000)
    await scene.machines.addresses.move("ana:3", now)
    assert scene.desk.aggregates.members[ANA].address == "ana:3"
    with pytest.raises(Conflict):
        await scene.machines.addresses.move("ana:3", now)
    with pytest.raises(Conflict, match="does not call itself"):
        await scene.machines.addresses.set_here(ANA, "ana:4", now)


@pytest.mark.parametrize("apart_ms", [1, DAY_MS + 1])
async def test_changes_of_a_member_are_counted_whatever_their_dates(
    scene: Scene, apart_ms: int
) -> None:
    now = scene.desk.now_ms
    for number in range(Counted.LINK_CHANGE.value):
        dated = now - (Counted.LINK_CHANGE.value - number) * apart_ms
        await scene.desk.hear(BEN, AddressChange(dated, f"ben:{number + 1}"))
    with pytest.raises(PolicyViolation, match="in a day"):
        await scene.desk.hear(BEN, AddressChange(now + 999, "ben:999"))
    with pytest.raises(PolicyViolation, match="in a day"):
        await scene.desk.hear(BEN, LinkKeyChange(now + 999, b"key", False))
    await scene.desk.hear(CHIARA, AddressChange(now, "chiara:1"))


async def test_a_certificate_that_links_do_not_take_is_refused(scene: Scene) -> None:
    def unusable(_member: str, _pem: bytes) -> bytes:
        raise MachineUnusable("this is no certificate")

    scene.port.pin = unusable
    with pytest.raises(StatementRefused, match="no certificate"):
        await scene.desk.hear(BEN, LinkKeyChange(scene.desk.now_ms, b"-----BEGIN", False))
    assert scene.desk.steps == []


async def test_a_key_that_is_being_told_is_not_changed_again(scene: Scene) -> None:
    keys = scene.machines.link_keys
    with pytest.raises(Conflict, match="no new TLS key waits"):
        await keys.finish()
    await keys.rotate()
    with pytest.raises(Conflict, match="already"):
        await keys.rotate()
    assert set(keys.untold) == {m for m in MEMBERS if m != ANA}
    # A machine that lost it, as one restored from a copy has, makes another one.
    scene.port.keys.made.clear()
    with pytest.raises(Conflict, match="change the key once more"):
        await keys.finish()
    await keys.rotate()
    await keys.finish()
    assert scene.port.keys.shown == b"key 2 of ana"


def health(ends_ms: int, trouble: LinkTrouble = LinkTrouble.NONE) -> PeerHealth:
    return PeerHealth(
        online=False, latency_s=0, last_seen_ms=None, trouble=trouble, certificate_ends_ms=ends_ms
    )


async def test_everybody_is_warned_ninety_days_before_the_end(scene: Scene) -> None:
    now = scene.desk.now_ms
    scene.port.keys.ends_ms = now + WARN_BEFORE_MS
    core = scene.core(ben=health(now + WARN_BEFORE_MS + 1), chiara=health(now - 1))
    tasks = certificate_tasks(core, now)
    assert [task.title for task in tasks] == [
        "This machine\u2019s certificate ends in 90 days",
        "chiara\u2019s certificate has ended",
    ]
    assert tasks[0].detail.startswith("Restart this machine")
    assert tasks[1].detail.startswith("Ask chiara to start")
    assert [(task.screen, task.subject) for task in tasks] == [
        ("recovery", ANA), ("recovery", CHIARA),
    ]  # fmt: skip


async def test_versions_are_told_and_marked_where_they_differ(scene: Scene) -> None:
    views = {link.member: link for link in link_views(scene.core(), scene.desk.now_ms)}
    told = {member: (views[member].version, views[member].version_differs) for member in MEMBERS}
    assert told[ANA] == told[CHIARA] == (VERSION, False)
    assert told[BEN] == ("0.9.0", True)
    assert ("", False) in told.values()


@pytest.mark.parametrize("trouble", LinkTrouble)
async def test_why_a_peer_is_not_reached_is_said_in_a_few_words(
    scene: Scene, trouble: LinkTrouble
) -> None:
    states = member_views(scene.desk.aggregates, ANA, {BEN: health(0, trouble)}, 0)
    (ben,) = [view for view in states if view.member == BEN]
    assert bool(ben.trouble) == (trouble is not LinkTrouble.NONE)
    assert len(ben.trouble.split()) <= 4
