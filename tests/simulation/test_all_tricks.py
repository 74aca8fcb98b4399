"""A custodian that tries everything at once, for a seed: the honest ones go on and blame nobody."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest

from console.adapters.network.grpc_peers import tls_name
from console.adapters.network.tls import peer_pin
from console.application.peers.messages import (
    Announce,
    AnyReply,
    Begin,
    Invite,
    Pull,
    Pulled,
    Refused,
    decode_request,
    encode,
)
from console.application.peers.signed_statements import SignedStatement
from console.application.peers.statements import Invitation
from console.application.sessions.invitations import MAX_SESSION_MS
from console.application.views import NodeState
from console.domain.events import SessionAborted
from console.domain.ids import MemberId, WalletId
from tests.fakes.clock import run_in_virtual_time
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.hostile_statements import KINDS, Hostile, hostile_certificates
from tests.simulation.invariants import (
    Ledgers,
    require_no_session_reused,
    require_one_key,
    require_one_transaction,
    require_quorum_before_signature,
)
from tests.simulation.operators import Operators
from tests.simulation.seeds import seeds
from tests.simulation.test_hostile_peer import known_to, signed_by

ANA, BEN, CHIARA = MEMBERS
HONEST = (ANA, BEN)
NOISE = (b"", b"\xc1", bytes(100), encode(Refused("no")), encode(Refused("later", later=True)))
CERTIFICATES = hostile_certificates()


class Tricks:
    """Chiara's hostile side; her node below stays honest, so that her operator can approve."""

    def __init__(self, cluster: SimulatedCluster, wallet: WalletId) -> None:
        self.cluster, self.wallet = cluster, wallet
        self.random: random.Random = cluster.random
        self.honest = cluster.network.handlers[CHIARA]
        self.core = cluster.seats[CHIARA].core
        self.noise = self.random.choice((0.0, 0.1, 0.3))
        ana = cluster.seats[ANA].core
        known = known_to(ana, wallet)
        self.hostile = Hostile(self.random.randrange(1 << 30), known, CERTIFICATES)

    async def answer(self, peer: MemberId, data: bytes) -> bytes:
        """Answer honestly, with nonsense, with hostile statements, or late."""
        if self.random.random() < self.noise:
            if isinstance(request := decode_request(data), Pull):
                signed = tuple([await self.statement() for _ in range(3)])
                far = self.random.choice((request.after, request.after + 1, 1 << 60))
                return encode(Pulled(statements=signed, upto=far, your_head=None))
            await asyncio.sleep(self.random.choice((0.0, 0.5, 10.0)))
            return self.random.choice(NOISE)
        return await self.honest(peer, data)

    async def statement(self) -> SignedStatement:
        """Return a hostile statement of any kind, signed by her."""
        return await signed_by(self.core, self.hostile.statement(self.random.choice(KINDS)))

    async def play(self) -> None:
        """Do one hostile thing after the other, until cancelled."""
        moves: tuple[Callable[[MemberId], Awaitable[AnyReply | bytes | None]], ...] = (
            self._announce,
            self._invite,
            self._repeat,
            self._begin,
            self._babble,
        )
        while True:
            await asyncio.sleep(self.random.uniform(0.02, 1.5))
            await self.random.choice(moves)(self.random.choice(HONEST))

    async def _say(self, target: MemberId, message: bytes) -> bytes | None:
        handler = self.cluster.network.handlers.get(target)
        return await handler(CHIARA, message) if handler else None

    async def _announce(self, target: MemberId) -> bytes | None:
        return await self._say(target, encode(Announce(await self.statement())))

    async def _invite(self, target: MemberId) -> bytes | None:
        """Invite to whatever is open, and never begin."""
        requests = tuple(self.core.aggregates.requests)
        drill = f"{self.wallet}@0"
        subject = self.random.choice((*requests, drill))
        service = self.core.drills if subject == drill else self.core.signing
        now = self.core.ports.clock.now_ms()
        invitation = Invitation(
            at_ms=now,
            purpose="drill" if subject == drill else "signing",
            subject=subject,
            terms=service.terms(subject),
            participants=tuple(sorted((target, CHIARA))),
            nonce=self.random.randbytes(32),
            deadline_ms=now + self.random.randrange(1, MAX_SESSION_MS),
        )
        return await self._say(target, encode(Invite(await signed_by(self.core, invitation))))

    async def _repeat(self, target: MemberId) -> bytes | None:
        """Send again what somebody sent before, as if it were her own."""
        _, _, message = self.random.choice(self.cluster.network.sent[-400:])
        return await self._say(target, message)

    async def _begin(self, target: MemberId) -> bytes | None:
        one, two = await self.statement(), await self.statement()
        return await self._say(target, encode(Begin(one, (two, one))))

    async def _babble(self, target: MemberId) -> bytes | None:
        try:
            return await self._say(target, self.random.choice(NOISE))
        except Exception:  # noqa: BLE001 - what her own call comes back with is hers to bear
            return None


async def history(seed: int) -> tuple[Ledgers, dict[MemberId, NodeState]]:
    """Make a wallet in peace, then pay from it twice while Chiara does everything at once."""
    cluster = SimulatedCluster(seed)
    cluster.slowest_disk_s = 0.0
    await cluster.start()
    operators = Operators(cluster)
    wallet = await operators.hold_ceremony(ANA)
    await operators.quiet(wallet)
    for seat in cluster.seats.values():
        assert seat.port is not None
        seat.port.pin = lambda member, pem: peer_pin(pem, tls_name(member))
    tricks = Tricks(cluster, wallet)
    cluster.network.attach(CHIARA, tricks.answer)
    playing = asyncio.create_task(tricks.play())
    try:
        await operators.transfer(ANA, wallet, 1_000)
        await operators.transfer(BEN, wallet, 2_000)
        assert not playing.done(), playing
    finally:
        playing.cancel()
        await asyncio.wait({playing})
        states = {m: node.state for m in HONEST if (node := cluster.seats[m].node)}
        await cluster.stop()
    ledgers = {m: tuple(cluster.seats[m].ledger.records) for m in HONEST}
    return ledgers, states


@pytest.mark.parametrize("seed", seeds(20))
def test_all_tricks_at_once_stop_and_blame_no_honest_member(seed: int) -> None:
    ledgers, states = run_in_virtual_time(history(seed))
    assert states == dict.fromkeys(HONEST, NodeState.READY)
    blamed = {
        member
        for records in ledgers.values()
        for record in records
        if isinstance(record.event, SessionAborted)
        for member in record.event.blamed
    }
    assert blamed <= {CHIARA}
    require_no_session_reused(ledgers)
    require_one_key(ledgers)
    require_quorum_before_signature(ledgers)
    require_one_transaction(ledgers)
