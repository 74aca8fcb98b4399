"""A node that dies before any round leaves: the work completes, nothing acknowledged is lost."""

from collections import Counter

import pytest

from tests.e2e.member_reading import Reading, read_member
from tests.e2e.steps import Office, require_kept

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(240)]

PROPOSER, PARTICIPANT = "ana", "ben"
# The last round of each is the echo of what was heard.
CEREMONY_POINTS = tuple(f"key-ceremony:{number}" for number in range(1, 6))
SIGNING_POINTS = tuple(f"signing:{number}" for number in range(1, 4))


async def die_at_each(office: Office, victim: str, points: tuple[str, ...]) -> None:
    """Let the victim die at one point after the other, restarted each time to die at the next.

    It runs already, with the first point set.
    """
    for point, following in zip(points, (*points[1:], ""), strict=True):
        await office.died(victim, point)
        await office.start(victim, following)


@pytest.mark.parametrize("victim", [PROPOSER, PARTICIPANT])
async def test_ceremony_completes_although_a_node_dies_at_every_round(
    office: Office, victim: str
) -> None:
    await office.all_ready()
    await office.restart(victim, CEREMONY_POINTS[0])
    ceremony = await office.propose_ceremony(PROPOSER, f"Kept by {victim}")
    for member in office.members[1:-1]:
        await office.accept_ceremony(member, ceremony)
    seen = await office.ledger(victim)
    await office.accept_ceremony(office.members[-1], ceremony)
    await die_at_each(office, victim, CEREMONY_POINTS)
    require_kept(seen, await office.ledger(victim))
    await office.compare_and_confirm(ceremony)
    await require_sound_ledgers(office, f"key-ceremony/{ceremony}", len(CEREMONY_POINTS))


@pytest.mark.parametrize("victim", [PROPOSER, PARTICIPANT])
async def test_request_is_signed_although_a_node_dies_at_every_round(
    office: Office, victim: str
) -> None:
    await office.all_ready()
    wallet = await office.hold_ceremony(f"Spent by {victim}", threshold=len(office.members))
    await office.fund(wallet)
    await office.restart(victim, SIGNING_POINTS[0])
    await office.all_ready()
    request = await office.propose_transfer(PROPOSER, wallet, "0.1")
    _, first, last = office.members
    await office.approve(first, request)
    seen = await office.ledger(victim)
    await office.approve(last, request)
    await die_at_each(office, victim, SIGNING_POINTS)
    require_kept(seen, await office.ledger(victim))
    await office.confirmed(request)
    await require_sound_ledgers(office, f"signing-request/{request}", len(SIGNING_POINTS))


async def require_sound_ledgers(office: Office, stream: str, deaths: int) -> None:
    """Stop all nodes and judge their ledgers: verified, no session twice, every death a session."""
    readings: dict[str, Reading] = {}
    for member, state in office.cluster.members.items():
        await office.cluster.stop_node(member)
        readings[member] = await read_member(state.profile.directory, state.pin)
    for member, reading in readings.items():
        for started in ("key-ceremony.session-started.v1", "signing-request.session-started.v1"):
            sessions = reading.sessions(started)
            assert len(set(sessions)) == len(sessions), member
        released = Counter(reading.sessions("signing-request.share-released.v1"))
        assert all(count == 1 for count in released.values()), member
        attempts = [
            fields
            for at, name, fields in reading.events
            if at == stream and name.endswith("session-started.v1")
        ]
        assert len(attempts) > deaths - 1, (member, len(attempts))
        blamed = [fields for _, _, fields in reading.events if fields.get("blamed")]
        assert not blamed, member
