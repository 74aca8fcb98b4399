"""A certificate proves itself to whoever took no part, or it is refused."""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from console.application.ceremonies.certificates import joined_message, key_certificate
from console.application.peers.signed_statements import StatementRefused
from console.application.peers.statements import (
    CertificateSignature,
    CertifiedKey,
    KeyCertificate,
)
from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.ids import SessionId, WalletId
from console.domain.key_ceremony import CeremonyState
from console.domain.values import SignatureKind
from console.protocols.keygen.certificate import certificate_message
from console.protocols.keygen.share import encode_public
from tests.adversary.keys import dealt
from tests.unit.application.ceremonies.scenes import (
    TRANSCRIPT,
    ceremony_of,
    certified,
    confirm,
    info,
    outcome,
    proposal,
    running,
    sealed,
    wallet_of,
)
from tests.unit.application.desk import Desk
from tests.unit.domain.facts import (
    ANA,
    BEN,
    CEREMONY,
    CHIARA,
    CUSTODIANS,
    EVE,
    FIRST,
    KIND,
    SECOND,
    WALLET,
)

SCHNORR = SignatureKind.SCHNORR_BIP340
Change = Callable[[KeyCertificate], KeyCertificate]


async def certificate_of(desk: Desk) -> KeyCertificate:
    found = key_certificate(ceremony_of(desk), desk.now_ms)
    assert found is not None
    return found


async def handed_on() -> tuple[Desk, KeyCertificate]:
    """Give Eve's desk, who took no part but knows the proposal, and the certificate."""
    ana = await certified()
    eve = await ana.neighbour(EVE)
    await eve.hear(ANA, proposal(eve))
    eve.steps.clear()
    return eve, await certificate_of(ana)


def signed(certificate: KeyCertificate, *signatures: CertificateSignature) -> KeyCertificate:
    return msgspec.structs.replace(certificate, signatures=signatures)


async def test_who_took_no_part_learns_the_keys_from_the_certificate() -> None:
    eve, certificate = await handed_on()
    verified = await eve.hear(BEN, certificate)
    assert eve.taken() == ["recorded CeremonyCertified", "recorded WalletActivated"]
    whole = ceremony_of(eve).certified
    assert whole is not None
    assert (whole.session, whole.at_ms, whole.evidence) == (
        FIRST,
        certificate.at_ms,
        verified.evidence,
    )
    assert [member for member, _ in whole.signatures] == sorted(CUSTODIANS)
    assert wallet_of(eve).keys == whole.keys
    assert whole.keys[0].public_key == dealt(2, 3)[1].public.group_key
    assert eve.told == []


async def test_a_repeated_certificate_changes_nothing() -> None:
    eve, certificate = await handed_on()
    await eve.hear(BEN, certificate)
    eve.steps.clear()
    await eve.hear(CHIARA, certificate)
    assert eve.steps == []


async def test_who_sealed_the_keys_and_who_did_not_sign_for_the_same_bytes() -> None:
    ana = await certified()
    eve = await ana.neighbour(EVE)
    await eve.hear(ANA, proposal(eve))
    await eve.hear(ANA, await certificate_of(ana))
    whole, own = ceremony_of(eve).certified, ceremony_of(ana).sealed
    assert whole is not None
    assert own is not None
    assert whole.certificate_message == own.certificate_message


async def test_a_certificate_of_an_unknown_ceremony_has_to_wait() -> None:
    ana = await certified()
    eve = await ana.neighbour(EVE)
    with pytest.raises(NotYetPossible, match="not known here yet"):
        await eve.hear(ANA, await certificate_of(ana))


@pytest.mark.parametrize("gone", [0, 1, 2], ids=["the first", "one in the middle", "the last"])
async def test_a_certificate_without_one_signature_is_refused(gone: int) -> None:
    eve, certificate = await handed_on()
    left = [s for at, s in enumerate(certificate.signatures) if at != gone]
    with pytest.raises(StatementRefused, match="signatures of all who took part"):
        await eve.hear(BEN, signed(certificate, *left))
    assert eve.steps == []


async def test_a_signature_given_twice_stands_for_one_member() -> None:
    eve, certificate = await handed_on()
    ana, ben, _ = certificate.signatures
    with pytest.raises(StatementRefused, match="signatures of all who took part"):
        await eve.hear(BEN, signed(certificate, ana, ben, ben))


async def test_a_stranger_s_signature_is_one_too_many() -> None:
    eve, certificate = await handed_on()
    message = joined_message(
        WALLET, SessionId(FIRST), 0, ((KIND, dealt(2, 3)[1].public, TRANSCRIPT),)
    )
    own = CertificateSignature(EVE, await eve.vaults[EVE].identity.sign(message))
    for signatures in ((*certificate.signatures, own), (*certificate.signatures[:2], own)):
        with pytest.raises(StatementRefused, match="signatures of all who took part"):
            await eve.hear(BEN, signed(certificate, *signatures))


async def test_the_last_of_two_signatures_under_one_name_is_checked() -> None:
    eve, certificate = await handed_on()
    false = CertificateSignature(ANA, certificate.signatures[1].signature)
    with pytest.raises(StatementRefused, match="does not hold"):
        await eve.hear(BEN, signed(certificate, *certificate.signatures, false))


@pytest.mark.parametrize("at", [0, 1, 2])
async def test_every_signature_is_verified(at: int) -> None:
    eve, certificate = await handed_on()
    whole = list(certificate.signatures)
    whole[at] = CertificateSignature(whole[at].member, whole[at - 1].signature)
    with pytest.raises(StatementRefused, match="does not hold"):
        await eve.hear(BEN, signed(certificate, *whole))
    assert WALLET not in eve.aggregates.wallets


async def test_who_certified_is_in_the_roster() -> None:
    eve, certificate = await handed_on()
    del eve.aggregates.members[CHIARA]
    with pytest.raises(UnknownMember, match="chiara certified a key but is not in the roster"):
        await eve.hear(BEN, certificate)


def with_keys(*keys: CertifiedKey) -> Change:
    return lambda certificate: msgspec.structs.replace(certificate, keys=keys)


THREE, FOUR_OWNERS, HIGHER = (dealt(t, n)[1].public for t, n in ((2, 3), (2, 4), (3, 3)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (with_keys(CertifiedKey(SCHNORR.value, encode_public(THREE), TRANSCRIPT)), "other kinds"),
        (
            with_keys(
                CertifiedKey(KIND.value, encode_public(THREE), TRANSCRIPT),
                CertifiedKey(KIND.value, encode_public(THREE), TRANSCRIPT),
            ),
            "other kinds",
        ),
        (with_keys(CertifiedKey(KIND.value, b"no package", TRANSCRIPT)), "malformed key"),
        (with_keys(CertifiedKey(KIND.value, encode_public(HIGHER), TRANSCRIPT)), "another quorum"),
        (
            with_keys(CertifiedKey(KIND.value, encode_public(FOUR_OWNERS), TRANSCRIPT)),
            "another quorum",
        ),
        (with_keys(CertifiedKey(KIND.value, encode_public(THREE), bytes(32))), "does not hold"),
        (
            with_keys(
                CertifiedKey(KIND.value, encode_public(dealt(2, 3, "other")[1].public), TRANSCRIPT)
            ),
            "does not hold",
        ),
        (lambda c: msgspec.structs.replace(c, session=SECOND), "does not hold"),
    ],
)
async def test_a_certificate_that_shows_other_keys_than_were_signed_is_refused(
    change: Change, words: str
) -> None:
    eve, certificate = await handed_on()
    with pytest.raises(StatementRefused, match=words):
        await eve.hear(BEN, change(certificate))
    assert eve.steps == []


async def test_a_certificate_for_other_keys_of_the_same_session_contradicts_what_was_sealed() -> (
    None
):
    ana = await certified()
    chiara = await ana.neighbour(CHIARA)
    await chiara.hear(ANA, proposal(chiara))
    ceremony = ceremony_of(chiara)
    # As if this member's session had ended with other keys than everybody has signed.
    other = replace(
        ceremony, sealed=replace(ceremony_of(ana).sealed, certificate_message=b"other keys")
    )
    chiara.aggregates.ceremonies[CEREMONY] = other
    with pytest.raises(Conflict, match="other keys than those of its session here"):
        await chiara.hear(BEN, await certificate_of(ana))
    assert WALLET not in chiara.aggregates.wallets


async def test_a_certificate_needs_a_sealed_share_and_says_what_is_there() -> None:
    desk = await running()
    assert key_certificate(ceremony_of(desk), desk.now_ms) is None
    desk = await sealed()
    await confirm(desk, ANA, BEN)
    assert ceremony_of(desk).state is CeremonyState.SEALED
    part = await certificate_of(desk)
    assert [s.member for s in part.signatures] == [ANA, BEN]
    assert (part.ceremony, part.session, part.at_ms) == (CEREMONY, FIRST, desk.now_ms)


@pytest.mark.parametrize("transcript", [b"", bytes(31), bytes(33), bytes(64)])
async def test_no_certificate_is_made_of_transcripts_that_do_not_fit_the_keys(
    transcript: bytes,
) -> None:
    desk = await sealed()
    ceremony = ceremony_of(desk)
    spoiled = replace(ceremony, sealed=replace(ceremony.sealed, transcript=transcript))
    assert key_certificate(spoiled, desk.now_ms) is None


async def test_each_key_of_a_certificate_keeps_its_own_transcript() -> None:
    desk = await sealed()
    sealed_now = ceremony_of(desk).sealed
    assert sealed_now is not None
    two = replace(
        ceremony_of(desk),
        sealed=replace(
            sealed_now,
            keys=(*sealed_now.keys, replace(sealed_now.keys[0], kind=SCHNORR)),
            transcript=b"a" * 32 + b"b" * 32,
        ),
    )
    found = key_certificate(two, 5)
    assert found is not None
    assert [(k.kind, k.transcript) for k in found.keys] == [
        (KIND.value, b"a" * 32),
        (SCHNORR.value, b"b" * 32),
    ]


def message(**changes: object) -> bytes:
    facts: dict[str, object] = {
        "wallet": WALLET,
        "session": FIRST,
        "epoch": 0,
        "keys": ((KIND, THREE, TRANSCRIPT),),
    }
    return joined_message(**(facts | changes))  # type: ignore[arg-type]


def test_what_is_signed_names_wallet_session_epoch_kind_key_and_transcript() -> None:
    others = [
        message(wallet=WalletId("wl-00000000000000ff")),
        message(session=SECOND),
        message(epoch=1),
        message(keys=((SCHNORR, THREE, TRANSCRIPT),)),
        message(keys=((KIND, HIGHER, TRANSCRIPT),)),
        message(keys=((KIND, THREE, bytes(32)),)),
        message(keys=((KIND, THREE, TRANSCRIPT), (SCHNORR, THREE, TRANSCRIPT))),
    ]
    assert len({message(), *others}) == len(others) + 1
    assert message() == message()


def test_scenes_make_what_the_tests_compare() -> None:
    ((kind, made),) = outcome()
    assert (kind, made.public) == (KIND, THREE)
    assert info().indices == {ANA: 1, BEN: 2, CHIARA: 3}


def test_what_is_signed_holds_the_certificate_of_each_key_with_its_length() -> None:
    keys = ((KIND, THREE, TRANSCRIPT), (SCHNORR, HIGHER, TRANSCRIPT))
    expected = b""
    for kind, public, transcript in keys:
        one = certificate_message(
            session_id=bytes.fromhex(FIRST),
            key_id=f"{WALLET}/{kind.value}",
            epoch=3,
            transcript=transcript,
            public=public,
        )
        expected += len(one).to_bytes(4, "big") + one
    assert message(epoch=3, keys=keys) == expected
