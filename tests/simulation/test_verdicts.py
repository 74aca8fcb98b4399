"""Failed checks bind the member who saw them: durably, and until the next epoch."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.application.api import CommandRefused
from console.application.commands import ProposeRefresh, RunDrill
from console.application.peers.signed_statements import verify_identity
from console.application.ports.threshold import KeyMaterial
from console.domain.events import SessionAborted
from console.domain.ids import MemberId, WalletId
from console.domain.verdicts import Verdict
from console.protocols.kernel.abort import AbortKind, ProtocolAbort, ban, blame, freeze
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import Message
from tests.fakes.clock import run_in_virtual_time
from tests.simulation.cluster import MEMBERS, SimulatedCluster
from tests.simulation.operators import Operators

ANA, BEN, CHIARA = MEMBERS


def raising_later(
    broadcast: Callable[[Message], Coroutine[Any, Any, None]], abort: ProtocolAbort
) -> Callable[[Message], Coroutine[Any, Any, None]]:
    """Say the first thing, hear the others, and then find fault with them."""
    said: list[Message] = []

    async def once(message: Message) -> None:
        if said:
            raise abort
        said.append(message)
        await broadcast(message)

    return once


@dataclass
class Suspicious(EddsaEd25519):
    """Raises `aborts[i]`, made for another party, as party i signs; a blame or ban does so once.

    A blame comes after it has heard the others.
    """

    aborts: dict[int, Callable[[int], ProtocolAbort]] = field(default_factory=dict)
    dropped: list[tuple[int, frozenset[int]]] = field(default_factory=list)

    async def sign(
        self, party: Party, held: KeyMaterial, path: str, message: bytes, random: Random
    ) -> bytes:
        make = self.aborts.get(party.me)
        if make:
            abort = make(party.others[0])
            if abort.kind is not AbortKind.FREEZE:
                del self.aborts[party.me]
            if abort.kind is AbortKind.BLAME:
                cast("Any", party).broadcast = raising_later(party.broadcast, abort)
                return await super().sign(party, held, path, message, random)
            raise abort
        return await super().sign(party, held, path, message, random)

    def without_peers(self, held: KeyMaterial, peers: Collection[int]) -> KeyMaterial | None:
        self.dropped.append((held.share.index, frozenset(peers)))
        copied = replace(held.share, secret=SecretBytes(bytes(held.share.secret.view())))
        return KeyMaterial(copied, SecretBytes(b"without peers"))


def verdicts_at(cluster: SimulatedCluster, member: MemberId) -> list[SessionAborted]:
    records = cluster.seats[member].ledger.records
    return [r.event for r in records if isinstance(r.event, SessionAborted)]


async def drill(cluster: SimulatedCluster, member: MemberId, wallet: WalletId) -> None:
    await cluster.command(member, lambda: RunDrill(wallet))


async def stored_setup(cluster: SimulatedCluster, member: MemberId, wallet: WalletId) -> bytes:
    core = cluster.seats[member].core
    state = core.aggregates.wallet(wallet)
    held = await core.shares.unseal(wallet, state.kinds[0], state.epoch)
    return bytes(held.setup.view()) if held.setup else b""


def test_a_ban_is_durable_and_destroys_what_is_shared() -> None:
    scheme = Suspicious()

    async def scene() -> None:
        cluster = SimulatedCluster(11, schemes=(scheme,))
        await cluster.start()
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        scheme.aborts[1] = lambda peer: ban(peer, "ot-row", "a row check failed")

        # Signing goes on with the other custodian; the banned one is asked no more.
        request = await operators.transfer(ANA, wallet, 5)
        (verdict,) = verdicts_at(cluster, ANA)
        (cheat,) = verdict.blamed
        assert (verdict.verdict, verdict.check) == (Verdict.BAN, "ot-row")
        assert (verdict.wallet, verdict.epoch, verdict.proof) == (wallet, 0, ())
        assert scheme.dropped == [(1, frozenset({MEMBERS.index(cheat) + 1}))]
        assert await stored_setup(cluster, ANA, wallet) == b"without peers"
        signed = cluster.seats[ANA].core.aggregates.request(request).signed
        assert signed is not None
        assert cheat not in signed.signers

        # A restart changes nothing: the ledger says so.
        cluster.crash(ANA)
        await cluster.restart(ANA)
        with pytest.raises(CommandRefused, match=f"does not sign with {cheat}"):
            await drill(cluster, cheat, wallet)

        # A refresh makes new pair states, and with them peace.
        await operators.change(CHIARA, MEMBERS, ProposeRefresh(wallet))
        await operators.quiet(wallet)
        await drill(cluster, cheat, wallet)
        await cluster.stop()

    run_in_virtual_time(scene())


def test_a_wrong_signature_that_nobody_can_be_named_for_quarantines_the_key() -> None:
    scheme = Suspicious()

    async def scene() -> None:
        cluster = SimulatedCluster(12, schemes=(scheme,))
        await cluster.start()
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        for index in (1, 2, 3):
            scheme.aborts[index] = lambda _peer: freeze("group-signature", "it is wrong")
        work = asyncio.ensure_future(operators.transfer(ANA, wallet, 5))
        await cluster.until("Ana has a verdict", lambda: verdicts_at(cluster, ANA))
        await asyncio.sleep(200)
        scheme.aborts.clear()
        assert all(v.verdict == Verdict.FREEZE for v in verdicts_at(cluster, ANA))

        # Neither the saga, nor an operator, nor a restart tries those keys again.
        tried = len(verdicts_at(cluster, ANA))
        cluster.crash(ANA)
        await cluster.restart(ANA)
        await asyncio.sleep(200)
        with pytest.raises(CommandRefused, match="quarantined"):
            await drill(cluster, ANA, wallet)
        assert len(verdicts_at(cluster, ANA)) == tried
        request = cluster.seats[ANA].core.aggregates.requests
        assert not any(r.signatures for r in request.values())
        work.cancel()
        await asyncio.wait({work})

        await operators.change(BEN, MEMBERS, ProposeRefresh(wallet))
        await operators.quiet(wallet)
        await operators.transfer(ANA, wallet, 6)
        await cluster.stop()

    run_in_virtual_time(scene())


def test_a_drill_that_ends_with_a_verdict_is_not_tried_again() -> None:
    scheme = Suspicious()

    async def scene() -> None:
        cluster = SimulatedCluster(14, schemes=(scheme,))
        await cluster.start()
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        for index in (1, 2, 3):
            scheme.aborts[index] = lambda _peer: freeze("group-signature", "it is wrong")
        # Only the other group hears that the keys are quarantined: the first tries nothing again.
        with pytest.raises(CommandRefused, match="it is wrong") as refused:
            await drill(cluster, ANA, wallet)
        assert str(refused.value).count("quarantined") == 1
        assert len(verdicts_at(cluster, ANA)) == 1
        await cluster.stop()

    run_in_virtual_time(scene())


def test_a_blamed_member_is_left_out_and_its_signed_words_are_kept() -> None:
    scheme = Suspicious()

    async def scene() -> None:
        cluster = SimulatedCluster(13, schemes=(scheme,))
        await cluster.start()
        operators = Operators(cluster)
        wallet = await operators.hold_ceremony(ANA)
        await operators.quiet(wallet)
        scheme.aborts[1] = lambda peer: blame({peer}, "signature-share", "does not verify")
        request = await operators.transfer(ANA, wallet, 5)
        (verdict,) = verdicts_at(cluster, ANA)
        (liar,) = verdict.blamed
        assert verdict.verdict == Verdict.BLAME
        # Whoever doubts it can check what the liar signed for all to hear.
        assert verdict.proof
        key = cluster.seats[BEN].core.aggregates.members[liar].identity_key
        for message in verdict.proof:
            assert message.sender == liar
            verify_identity(key, b"quorate/envelope/v1" + message.envelope, message.signature)
        signed = cluster.seats[BEN].core.aggregates.request(request).signed
        assert signed is not None
        assert liar not in signed.signers
        await cluster.stop()

    run_in_virtual_time(scene())
