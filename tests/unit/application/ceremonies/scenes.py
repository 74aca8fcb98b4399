"""How far a ceremony has come: each scene plays what the members sign up to there."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from console.application.peers.statements import (
    AnyStatement,
    CeremonyAcceptance,
    CeremonyProposal,
    CodeConfirmation,
    Erasure,
    Invitation,
    KeyChangeProposal,
)
from console.application.ports.threshold import KeygenOutput, KeyMaterial
from console.application.sessions.protocol_session import FailureKind, SessionFailed, SessionInfo
from console.domain.events import CeremonyShareSealed
from console.domain.ids import CeremonyId, MemberId, SessionId
from console.domain.key_ceremony import KeyCeremony
from console.domain.values import SignatureKind
from console.domain.wallet import Wallet
from console.protocols.kernel.abort import AbortKind
from tests.adversary.keys import dealt
from tests.unit.application.desk import HOUR_MS, Desk
from tests.unit.domain.facts import ANA, BEN, CEREMONY, CHIARA, CUSTODIANS, EVE, FIRST, KIND, WALLET

CHANGE = CeremonyId("kc-00000000000000dd")
LATER = SessionId("33" * 32)
TRANSCRIPT = b"t" * 32
RESHARE = {"purpose": "reshare", "custodians": (ANA, CHIARA, EVE), "dealers": (ANA, BEN)}
TIMEOUT = SessionFailed(FailureKind.TIMEOUT, "no answer from ben", unreachable=frozenset({BEN}))
BLAME = SessionFailed(
    FailureKind.ABORTED,
    "a share does not verify",
    blamed=frozenset({CHIARA, BEN}),
    kind=AbortKind.BLAME,
    check="share",
)
Keys = tuple[tuple[SignatureKind, KeygenOutput], ...]


def proposal(desk: Desk, **changes: object) -> CeremonyProposal:
    facts: dict[str, object] = {
        "at_ms": desk.now_ms,
        "ceremony": CEREMONY,
        "wallet": WALLET,
        "wallet_name": "Treasury",
        "kinds": (KIND.value,),
        "threshold": 2,
        "custodians": CUSTODIANS,
        "approvals_needed": 2,
        "expires_at_ms": desk.now_ms + HOUR_MS,
    }
    return CeremonyProposal(**(facts | changes))  # type: ignore[arg-type]


def change(desk: Desk, **changes: object) -> KeyChangeProposal:
    facts: dict[str, object] = {
        "at_ms": desk.now_ms,
        "ceremony": CHANGE,
        "wallet": WALLET,
        "purpose": "refresh",
        "from_epoch": 0,
        "epoch": 1,
        "threshold": 2,
        "custodians": CUSTODIANS,
        "dealers": (),
        "repaired": "",
        "approvals_needed": 2,
        "expires_at_ms": desk.now_ms + HOUR_MS,
    }
    return KeyChangeProposal(**(facts | changes))  # type: ignore[arg-type]


async def accept(desk: Desk, *members: MemberId, ceremony: CeremonyId = CEREMONY) -> None:
    body = desk.aggregates.ceremony(ceremony).proposal.evidence.body
    digest = hashlib.sha256(body).digest()
    for member in members:
        await desk.hear(member, CeremonyAcceptance(desk.now_ms, ceremony, digest))


def invitation(
    subject: str = CEREMONY, participants: tuple[MemberId, ...] = CUSTODIANS
) -> Invitation:
    return Invitation(
        at_ms=1,
        purpose="key-ceremony",
        subject=subject,
        terms=bytes(32),
        participants=participants,
        nonce=bytes(32),
        deadline_ms=2,
    )


def info(
    session: SessionId = FIRST,
    subject: str = CEREMONY,
    participants: tuple[MemberId, ...] = CUSTODIANS,
    coordinator: MemberId = ANA,
    purpose: str = "key-ceremony",
) -> SessionInfo:
    indices = {member: at for at, member in enumerate(CUSTODIANS, 1) if member in participants}
    return SessionInfo(session, purpose, subject, coordinator, participants, indices, (), 0, 0)


def outcome(
    me: int | None = 1,
    seed: str = "key",
    kinds: Iterable[SignatureKind] = (KIND,),
    owners: tuple[int, ...] = (1, 2, 3),
) -> Keys:
    """Give what a session makes of keys from a dealer; `me` is None for who holds no share."""
    public = dealt(2, max(owners), seed)[1].public
    known = tuple((i, point) for i, point in public.public_shares if i in owners)
    public = replace(public, public_shares=known)

    def held() -> KeyMaterial | None:
        if me is None:
            return None
        return KeyMaterial(replace(dealt(2, max(owners), seed)[me], public=public))

    return tuple((kind, KeygenOutput(public, held(), TRANSCRIPT)) for kind in kinds)


async def proposed() -> Desk:
    desk = await Desk().open()
    await desk.hear(ANA, proposal(desk))
    return desk


async def accepted() -> Desk:
    desk = await proposed()
    await accept(desk, *CUSTODIANS)
    return desk


async def running() -> Desk:
    desk = await accepted()
    await desk.key_generation.open(info())
    return desk


async def sealed() -> Desk:
    desk = await running()
    await desk.key_generation.succeeded(info(), outcome())
    desk.steps.clear()
    return desk


def seal_of(desk: Desk, ceremony: CeremonyId = CEREMONY) -> CeremonyShareSealed:
    found = desk.aggregates.ceremony(ceremony).sealed
    assert found is not None
    return found


async def confirmation(
    desk: Desk, member: MemberId, ceremony: CeremonyId = CEREMONY
) -> CodeConfirmation:
    found = seal_of(desk, ceremony)
    return CodeConfirmation(
        at_ms=desk.now_ms,
        ceremony=ceremony,
        session=found.session,
        certificate_signature=await desk.vaults[member].identity.sign(found.certificate_message),
    )


async def confirm(desk: Desk, *members: MemberId, ceremony: CeremonyId = CEREMONY) -> None:
    for member in members:
        await desk.hear(member, await confirmation(desk, member, ceremony))


async def certified() -> Desk:
    """All have certified: the wallet is active in its first epoch."""
    desk = await sealed()
    await confirm(desk, *CUSTODIANS)
    desk.steps.clear()
    desk.told.clear()
    return desk


async def change_accepted(**changes: object) -> Desk:
    desk = await certified()
    await desk.hear(ANA, change(desk, **changes))
    members = desk.aggregates.ceremony(CHANGE).participants
    await accept(desk, *members, ceremony=CHANGE)
    desk.steps.clear()
    return desk


async def change_sealed(**changes: object) -> Desk:
    desk = await change_accepted(**changes)
    later = info(LATER, CHANGE)
    await desk.key_generation.open(later)
    await desk.key_generation.succeeded(later, outcome())
    desk.steps.clear()
    return desk


async def refreshed() -> Desk:
    """All have certified the second epoch, and Ana has erased the first."""
    desk = await change_sealed()
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    return desk


def ceremony_of(desk: Desk, ceremony: CeremonyId = CEREMONY) -> KeyCeremony:
    return desk.aggregates.ceremony(ceremony)


def wallet_of(desk: Desk) -> Wallet:
    return desk.aggregates.wallet(WALLET)


async def nothing_recorded(desk: Desk, member: MemberId, statement: AnyStatement) -> None:
    desk.steps.clear()
    await desk.hear(member, statement)
    assert desk.steps == []


async def erased(desk: Desk, *members: MemberId) -> None:
    for member in members:
        await desk.hear(member, Erasure(desk.now_ms, WALLET, wallet_of(desk).epoch - 1))
