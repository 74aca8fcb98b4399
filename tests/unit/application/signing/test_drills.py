"""Drills: a text that is nothing else, signed by exactly a quorum, recorded if it verifies."""

import hashlib
from collections.abc import Collection
from dataclasses import replace

import pytest

from console.adapters.schemes.eddsa_ed25519 import EddsaEd25519
from console.adapters.schemes.schnorr_bip340 import SchnorrBip340
from console.application.errors import LedgerUnavailable, ShareUnavailable, VaultLocked
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.statements import DrillResult, Invitation
from console.application.ports.threshold import KeyMaterial
from console.application.sessions.protocol_session import (
    FailureKind,
    SessionFailed,
    SessionInfo,
    SubProtocol,
)
from console.application.signing.drills import drill_message, drill_subject
from console.domain.errors import Conflict, DomainError, NotYetPossible, PolicyViolation
from console.domain.errors import UnknownMember as Unknown
from console.domain.ids import MemberId, SessionId, WalletId
from console.domain.values import SignatureKind
from console.domain.verdicts import Verdict
from console.protocols.kernel.abort import AbortKind
from console.protocols.kernel.secret import SecretBytes
from tests.adversary.keys import copy_of, dealt
from tests.adversary.network import Network, stream
from tests.unit.application.ceremonies.scenes import (
    CHANGE,
    TIMEOUT,
    certified,
    change_sealed,
    confirm,
    info,
    refreshed,
    wallet_of,
)
from tests.unit.application.desk import Desk, opened_by
from tests.unit.application.signing.scenes import PAIR, drilled, group_signature, invited
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CHIARA,
    CUSTODIANS,
    EVE,
    FIRST,
    KIND,
    SECOND,
    WALLET,
)

DORA = MemberId("dora")
SUBJECT = f"{WALLET}@0"


def invitation(subject: str = SUBJECT, participants: tuple[MemberId, ...] = PAIR) -> Invitation:
    return invited(subject, participants, "drill")


def drill_info(
    session: SessionId = FIRST,
    subject: str = SUBJECT,
    participants: tuple[MemberId, ...] = PAIR,
    coordinator: MemberId = ANA,
) -> SessionInfo:
    return info(session, subject, participants, coordinator, "drill")


def failure(kind: AbortKind, *blamed: MemberId) -> SessionFailed:
    return SessionFailed(
        FailureKind.ABORTED, "it is wrong", blamed=frozenset(blamed), kind=kind, check="share"
    )


def test_the_text_of_a_drill_begins_like_no_transaction() -> None:
    text = f"quorate drill/v1 {WALLET} {KIND.value} epoch 3 {FIRST} ana,ben"
    expected = hashlib.sha256(b"\xff" + text.encode()).digest()
    assert drill_message(KIND, WALLET, 3, FIRST, (BEN, ANA)) == expected
    assert drill_message(KIND, WALLET, 3, FIRST, (ANA, BEN)) == expected


def test_everything_of_a_drill_is_in_its_text() -> None:
    texts = {
        drill_message(KIND, WALLET, 0, FIRST, PAIR),
        drill_message(SignatureKind.SCHNORR_BIP340, WALLET, 0, FIRST, PAIR),
        drill_message(KIND, WalletId("wl-00000000000000ff"), 0, FIRST, PAIR),
        drill_message(KIND, WALLET, 1, FIRST, PAIR),
        drill_message(KIND, WALLET, 0, SECOND, PAIR),
        drill_message(KIND, WALLET, 0, FIRST, (ANA, CHIARA)),
        drill_message(KIND, WALLET, 0, FIRST, CUSTODIANS),
    }
    assert len(texts) == 7


async def test_a_drill_is_recorded_as_it_was_signed() -> None:
    desk = await certified()
    verified = await desk.hear(BEN, drilled(desk))
    (drill,) = wallet_of(desk).drills
    assert (drill.signers, drill.session, drill.epoch) == (PAIR, FIRST, 0)
    assert (drill.wallet, drill.at_ms, drill.evidence) == (WALLET, desk.now_ms, verified.evidence)
    assert desk.taken() == ["recorded DrillPassed"]


async def test_a_repeated_drill_changes_nothing() -> None:
    desk = await certified()
    text = drilled(desk)
    await desk.hear(BEN, text)
    desk.steps.clear()
    await desk.hear(ANA, text)
    assert desk.steps == []


async def test_whoever_passes_a_drill_on_it_proves_its_signers() -> None:
    desk = await certified()
    await desk.hear(EVE, drilled(desk, (BEN, CHIARA)))
    assert wallet_of(desk).drills[0].signers == (BEN, CHIARA)


@pytest.mark.parametrize(
    "signers", [(ANA, CHIARA), (ANA,), CUSTODIANS, (ANA, EVE), (ANA, ANA), (), (BEN, DORA)]
)
async def test_a_drill_of_others_than_signed_is_refused(signers: tuple[MemberId, ...]) -> None:
    desk = await certified()
    text = drilled(desk)
    with pytest.raises(StatementRefused, match="does not verify"):
        await desk.hear(BEN, with_(text, signers=signers))
    assert wallet_of(desk).drills == ()


@pytest.mark.parametrize("signers", [CUSTODIANS, (ANA,), (ANA, EVE), (ANA, DORA), (ANA, ANA)])
async def test_a_drill_by_no_quorum_is_refused_although_it_verifies(
    signers: tuple[MemberId, ...],
) -> None:
    desk = await certified()
    with pytest.raises(Conflict, match="not a threshold of the custodians"):
        await desk.hear(BEN, drilled(desk, signers))
    assert wallet_of(desk).drills == ()


def with_(text: DrillResult, **changes: object) -> DrillResult:
    facts = {name: getattr(text, name) for name in text.__struct_fields__}
    return DrillResult(**(facts | changes))


@pytest.mark.parametrize(
    ("changes", "refusal", "words"),
    [
        ({"wallet": "wl-00000000000000ff"}, NotYetPossible, "wallet is not known"),
        ({"signatures": (b"s" * 64, b"s" * 64)}, StatementRefused, "one signature of each key"),
        ({"signatures": (b"s" * 64,)}, StatementRefused, "does not verify"),
        ({"session": SECOND}, StatementRefused, "does not verify"),
        ({"epoch": 1}, StatementRefused, "does not verify"),
    ],
)
async def test_a_result_that_proves_nothing_is_refused(
    changes: dict[str, object], refusal: type[DomainError], words: str
) -> None:
    desk = await certified()
    with pytest.raises(refusal, match=words):
        await desk.hear(BEN, with_(drilled(desk), **changes))
    assert desk.steps == []


async def test_a_drill_of_an_epoch_that_is_not_known_here_has_to_wait() -> None:
    desk = await certified()
    message = drill_message(KIND, WALLET, 1, FIRST, PAIR)
    text = with_(drilled(desk), epoch=1, signatures=(group_signature(message),))
    with pytest.raises(NotYetPossible, match="not known here yet"):
        await desk.hear(BEN, text)


async def test_any_custodian_leads_a_drill_of_exactly_a_quorum() -> None:
    desk = await certified()
    assert drill_subject(wallet_of(desk)) == SUBJECT
    for leader in CUSTODIANS:
        await desk.drills.admit(invitation(), leader)
    assert desk.drills.indices(invitation(participants=(CHIARA, ANA))) == {CHIARA: 3, ANA: 1}
    assert desk.drills.parts(invitation()) == (SubProtocol("EdDSA", ("Commit", "Sign", "Confirm")),)


@pytest.mark.parametrize(
    ("leader", "participants", "refusal", "words"),
    [
        (EVE, PAIR, Unknown, "only custodians"),
        (ANA, (ANA, EVE), Unknown, "only custodians"),
        (ANA, CUSTODIANS, Conflict, "exactly 2 custodians"),
        (ANA, (ANA,), Conflict, "exactly 2 custodians"),
        (ANA, (ANA, ANA), Conflict, "exactly 2 custodians"),
    ],
)
async def test_a_drill_of_others_is_refused(
    leader: MemberId, participants: tuple[MemberId, ...], refusal: type[DomainError], words: str
) -> None:
    desk = await certified()
    with pytest.raises(refusal, match=words):
        await desk.drills.admit(invitation(participants=participants), leader)


@pytest.mark.parametrize("subject", [f"{WALLET}@1", f"{WALLET}@", WALLET, f"{WALLET}@0@0"])
async def test_shares_of_two_epochs_do_not_meet(subject: str) -> None:
    desk = await certified()
    for asked in (desk.drills.indices, desk.drills.parts):
        with pytest.raises(NotYetPossible, match="another epoch"):
            asked(invitation(subject))
    with pytest.raises(NotYetPossible, match="another epoch"):
        await desk.drills.admit(invitation(subject), ANA)
    with pytest.raises(NotYetPossible, match="wallet is not known"):
        await desk.drills.admit(invitation("wl-00000000000000ff@0"), ANA)


async def test_a_member_without_its_share_takes_part_in_no_drill() -> None:
    desk = await certified()
    await desk.shares.erase(WALLET, KIND, 0)
    with pytest.raises(NotYetPossible, match="it needs a repair"):
        await desk.drills.admit(invitation(), ANA)


async def test_a_banned_member_is_in_no_drill_and_a_quarantined_key_in_none_either() -> None:
    desk = await certified()
    await desk.verdicts.record(drill_info(SECOND), failure(AbortKind.BAN, BEN), WALLET, 0)
    with pytest.raises(PolicyViolation, match="does not sign with ben"):
        await desk.drills.admit(invitation(), ANA)
    await desk.drills.admit(invitation(participants=(ANA, CHIARA)), ANA)
    await desk.verdicts.record(drill_info(), failure(AbortKind.FREEZE), WALLET, 0)
    with pytest.raises(PolicyViolation, match="quarantined"):
        await desk.drills.admit(invitation(participants=(ANA, CHIARA)), ANA)


async def test_a_ban_of_this_member_itself_stops_nothing_here() -> None:
    desk = await certified()
    await desk.verdicts.record(drill_info(SECOND), failure(AbortKind.BAN, ANA), WALLET, 0)
    await desk.drills.admit(invitation(), ANA)


async def test_the_protocol_signs_the_text_of_this_session_and_its_participants() -> None:
    desk = await certified()
    run = await desk.drills.open(drill_info())
    message = drill_message(KIND, WALLET, 0, FIRST, PAIR)
    ben = KeyMaterial(dealt(2, 3)[2])
    network = Network(
        {1: run, 2: lambda p: EddsaEd25519().sign(p, ben, "m", message, stream("ben"))}
    ).deliver()
    assert not network.aborts
    await desk.drills.succeeded(drill_info(), network.outcomes[1])
    assert desk.taken() == ["recorded DrillPassed", "told DrillResult"]
    (drill,) = wallet_of(desk).drills
    assert drill.signatures == (network.outcomes[2],)


async def test_only_who_led_tells_the_result() -> None:
    desk = await certified()
    theirs = drill_info(coordinator=BEN)
    await desk.drills.open(theirs)
    await desk.drills.succeeded(theirs, drilled(desk).signatures)
    assert desk.told == []


async def test_the_result_of_a_session_that_was_forgotten_is_not_told() -> None:
    desk = await certified()
    await desk.drills.open(drill_info())
    desk.drills.forget()
    await desk.drills.succeeded(drill_info(), drilled(desk).signatures)
    assert desk.told == []


async def test_the_result_is_of_the_epoch_that_the_session_began_in() -> None:
    desk = await change_sealed()
    await desk.drills.open(drill_info())
    signatures = drilled(desk).signatures
    await confirm(desk, *CUSTODIANS, ceremony=CHANGE)
    desk.told.clear()
    await desk.drills.succeeded(drill_info(), signatures)
    (told,) = desk.told
    assert isinstance(told, DrillResult)
    assert told.epoch == 0
    assert wallet_of(desk).drills[0].epoch == 0


@pytest.mark.parametrize("trouble", [ShareUnavailable("it is lost"), VaultLocked("locked")])
async def test_a_share_that_does_not_open_begins_no_drill(trouble: Exception) -> None:
    desk = await certified()
    desk.storage.trouble = trouble
    with pytest.raises(type(trouble)):
        await desk.drills.open(drill_info())
    await desk.drills.succeeded(drill_info(), drilled(desk).signatures)
    assert (desk.told, desk.aggregates.verdicts) == ([], [])


async def test_of_two_shares_the_first_is_wiped_if_the_second_does_not_open() -> None:
    desk = await certified()
    wallet = wallet_of(desk)
    schnorr = replace(wallet.keys[0], kind=SchnorrBip340.kind)
    desk.aggregates.wallets[WALLET] = replace(wallet, keys=(*wallet.keys, schnorr))
    held = opened_by(desk)
    with pytest.raises(ShareUnavailable):
        await desk.drills.open(drill_info())
    assert [key.share.secret.wiped for key in held] == [True]


async def test_every_ending_wipes_the_shares_in_use() -> None:
    async def succeeded(desk: Desk) -> None:
        await desk.drills.succeeded(drill_info(), drilled(desk).signatures)

    async def failed(desk: Desk) -> None:
        await desk.drills.failed(drill_info(), TIMEOUT)

    async def blamed_without_a_ledger(desk: Desk) -> None:
        desk.ledger.fail_next = True
        with pytest.raises(LedgerUnavailable):
            await desk.drills.failed(drill_info(), failure(AbortKind.BLAME, BEN))

    async def forgotten(desk: Desk) -> None:
        desk.drills.forget()

    async def false(desk: Desk) -> None:
        with pytest.raises(StatementRefused):
            await desk.drills.succeeded(drill_info(), (bytes(64),))

    for ending in (succeeded, failed, blamed_without_a_ledger, forgotten, false):
        desk = await certified()
        held = opened_by(desk)
        await desk.drills.open(drill_info())
        assert [key.share.secret.wiped for key in held] == [False]
        await ending(desk)
        assert [key.share.secret.wiped for key in held] == [True], ending.__name__


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (AbortKind.BLAME, Verdict.BLAME),
        (AbortKind.BAN, Verdict.BAN),
        (AbortKind.FREEZE, Verdict.FREEZE),
    ],
)
async def test_a_failed_check_is_recorded_for_the_wallet_and_its_epoch(
    kind: AbortKind, verdict: Verdict
) -> None:
    desk = await refreshed()
    subject = drill_subject(wallet_of(desk))
    await desk.drills.open(drill_info(subject=subject))
    await desk.drills.failed(drill_info(subject=subject), failure(kind, BEN))
    (found,) = desk.aggregates.verdicts
    assert (found.verdict, found.wallet, found.epoch) == (verdict, WALLET, 1)
    assert (found.blamed, found.subject, found.purpose) == ((BEN,), subject, "drill")


async def test_the_end_of_a_session_that_never_began_is_no_verdict() -> None:
    desk = await certified()
    await desk.drills.failed(drill_info(), failure(AbortKind.BLAME, BEN))
    assert desk.aggregates.verdicts == []


class Pairwise(EddsaEd25519):
    """Keeps something with peers, as DKLs23 does."""

    def without_peers(self, held: KeyMaterial, peers: Collection[int]) -> KeyMaterial | None:
        self.dropped = frozenset(peers)
        return KeyMaterial(
            replace(held.share, secret=copy_of(held.share.secret)), SecretBytes(b"left")
        )


async def test_a_ban_is_recorded_and_then_what_is_shared_is_destroyed() -> None:
    desk = await certified()
    scheme = Pairwise()
    desk.schemes[KIND] = scheme
    await desk.drills.open(drill_info())
    await desk.drills.failed(drill_info(), failure(AbortKind.BAN, BEN))
    assert desk.taken() == ["recorded SessionAborted", f"replaced {KIND.value} 0"]
    assert scheme.dropped == {2}
    assert [members for members, _ in desk.stopped] == [{BEN}]
