"""Key certificates as statements: built from what was sealed, verified by all their signatures."""

import contextlib
from collections.abc import Mapping

from console.application.peers.signed_statements import (
    StatementRefused,
    Verified,
    verify_identity,
    verify_member,
)
from console.application.peers.statements import (
    CertificateSignature,
    CertifiedKey,
    KeyCertificate,
)
from console.domain.errors import UnknownMember
from console.domain.events import CeremonyCertified, GroupKey
from console.domain.ids import MemberId, SessionId, WalletId
from console.domain.key_ceremony import KeyCeremony
from console.domain.member import Member
from console.domain.values import SignatureKind
from console.protocols.keygen.certificate import certificate_message
from console.protocols.keygen.share import BadShare, PublicKeyPackage, decode_public

_TRANSCRIPT_BYTES = 32


def joined_message(
    wallet: WalletId,
    session: SessionId,
    epoch: int,
    keys: tuple[tuple[SignatureKind, PublicKeyPackage, bytes], ...],
) -> bytes:
    """Return the message that all members sign: (kind, package, transcript) of each key."""
    messages = [
        certificate_message(
            session_id=bytes.fromhex(session),
            key_id=f"{wallet}/{kind.value}",
            epoch=epoch,
            transcript=transcript,
            public=public,
        )
        for kind, public, transcript in keys
    ]
    return b"".join(len(m).to_bytes(4, "big") + m for m in messages)


def key_certificate(ceremony: KeyCeremony, at_ms: int) -> KeyCertificate | None:
    """Build the statement from what this member has on record; None while it is incomplete."""
    sealed = ceremony.sealed
    if sealed is None or len(sealed.transcript) != _TRANSCRIPT_BYTES * len(sealed.keys):
        return None
    transcripts = [
        sealed.transcript[at : at + _TRANSCRIPT_BYTES]
        for at in range(0, len(sealed.transcript), _TRANSCRIPT_BYTES)
    ]
    return KeyCertificate(
        at_ms=at_ms,
        ceremony=ceremony.proposal.ceremony,
        session=sealed.session,
        keys=tuple(
            CertifiedKey(key.kind.value, key.package, transcript)
            for key, transcript in zip(sealed.keys, transcripts, strict=True)
        ),
        signatures=tuple(
            CertificateSignature(c.member, c.certificate_signature) for c in ceremony.certifying
        ),
    )


def verified_certificate(
    ceremony: KeyCeremony,
    statement: KeyCertificate,
    verified: Verified,
    members: Mapping[MemberId, Member],
) -> CeremonyCertified:
    """Verify a certificate that a peer passed on, as a participant would.

    The signed message is rebuilt here from the packages, so it cannot differ from them.
    Raises: StatementRefused, UnknownMember, NotYetPossible.
    """
    proposal, epoch = ceremony.proposal, ceremony.epoch
    if tuple(key.kind for key in statement.keys) != tuple(k.value for k in proposal.kinds):
        raise StatementRefused("a certificate is for other kinds of keys than its ceremony")
    expected = {index for index, _ in ceremony.quorum.shares}
    publics: list[tuple[SignatureKind, PublicKeyPackage, bytes]] = []
    for kind, key in zip(proposal.kinds, statement.keys, strict=True):
        try:
            public = decode_public(key.package)
        except BadShare:
            raise StatementRefused("a certificate holds a malformed key") from None
        if public.threshold != ceremony.quorum.threshold or set(public.indices) != expected:
            raise StatementRefused("a certificate is for another quorum than its ceremony")
        publics.append((kind, public, key.transcript))
    session = SessionId(statement.session)
    message = joined_message(proposal.wallet, session, epoch, tuple(publics))
    signatures = {MemberId(s.member): s.signature for s in statement.signatures}
    if set(signatures) != set(ceremony.participants):
        raise StatementRefused("a certificate needs the signatures of all who took part")
    for member, signature in signatures.items():
        known = members.get(member)
        if known is None:
            raise UnknownMember(f"{member} certified a key but is not in the roster")
        is_older = _is_older(ceremony, session, known, message)
        verify_member(known, message, signature, is_older=is_older)
    return CeremonyCertified(
        ceremony=proposal.ceremony,
        session=session,
        keys=tuple(
            GroupKey(kind, public.group_key, key.package)
            for (kind, public, _), key in zip(publics, statement.keys, strict=True)
        ),
        certificate_message=message,
        signatures=tuple(sorted(signatures.items())),
        at_ms=statement.at_ms,
        evidence=verified.evidence,
    )


def _is_older(ceremony: KeyCeremony, session: SessionId, member: Member, message: bytes) -> bool:
    """Return whether a member is known to have certified before its machine was replaced.

    Confirmations are recorded from the machine of their day only.
    """
    if ceremony.certified_session == session or member.was_certified_before(session):
        return True
    for earlier in ceremony.confirmations:
        if (earlier.member, earlier.session) == (member.member, session):
            for key in member.former_keys:
                with contextlib.suppress(StatementRefused):
                    verify_identity(key, message, earlier.certificate_signature)
                    return True
    return False
