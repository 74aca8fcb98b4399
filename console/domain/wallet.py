"""Wallet: the certified group keys, their quorum and epoch, and the state of their shares."""

from dataclasses import dataclass, replace

from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.events import DrillPassed, Event, GroupKey, SharesErased, WalletActivated
from console.domain.ids import MemberId, WalletId
from console.domain.key_ceremony import FIRST_EPOCH, CeremonyState, KeyCeremony, rank_of
from console.domain.policy import Policy
from console.domain.values import Quorum, SignatureKind

REFRESH_AFTER_MS = 90 * 24 * 3_600_000
"""Shares are refreshed at least every 90 days: a thief must steal t of them within one epoch."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """An active wallet. `policy` is that of its epoch; its version is the epoch plus 1.

    `erased` maps a member to the epoch up to which it signed that its shares are erased.
    """

    wallet: WalletId
    name: str
    quorum: Quorum
    keys: tuple[GroupKey, ...]
    epoch: int
    policy: Policy
    created_at_ms: int
    epoch_began_ms: int
    certificate_message: bytes
    certificate: tuple[tuple[int, bytes], ...]
    former: tuple[tuple[MemberId, int], ...] = ()
    """Former custodians, with the last epoch of which they held a share."""
    erased: tuple[SharesErased, ...] = ()
    drills: tuple[DrillPassed, ...] = ()

    @property
    def kinds(self) -> tuple[SignatureKind, ...]:
        return tuple(key.kind for key in self.keys)

    def key(self, kind: SignatureKind) -> GroupKey:
        """Return the group key of a kind. Raises: NotYetPossible if the wallet has none."""
        for key in self.keys:
            if key.kind is kind:
                return key
        raise NotYetPossible(f"{self.name} has no {kind.value} key; a new ceremony generates one")

    def has_erased(self, member: MemberId) -> bool:
        """Return whether a member signed that its shares of all earlier epochs are erased."""
        held = dict(self.former).get(member, self.epoch - 1)
        return any(e.member == member and e.epoch >= held for e in self.erased)

    @property
    def erasing(self) -> tuple[MemberId, ...]:
        """The members that held, or may have held, shares of an earlier epoch."""
        if self.epoch == FIRST_EPOCH:
            return ()
        return (*self.quorum.custodians, *(member for member, _ in self.former))


@dataclass(frozen=True, slots=True)
class RecordErasure:
    """The event is built, and its evidence verified, by the caller."""

    erasure: SharesErased


@dataclass(frozen=True, slots=True)
class RecordDrill:
    """The signatures were verified under the group keys by the caller."""

    drill: DrillPassed


WalletCommand = RecordErasure | RecordDrill


def activate(state: Wallet | None, ceremony: KeyCeremony, at_ms: int) -> tuple[Event, ...]:
    """Return the event that activates a certified ceremony's keys; () if a newer set is in use.

    The caller has verified every certificate signature. Raises: NotYetPossible, Conflict.
    """
    if ceremony.state is not CeremonyState.CERTIFIED:
        raise NotYetPossible("a wallet needs the certificate of all who took part")
    keys, message, signatures = _certificate(ceremony)
    proposal, epoch = ceremony.proposal, ceremony.epoch
    if state is not None:
        in_use, new = rank_of(state.epoch, state.certificate_message), rank_of(epoch, message)
        if in_use == new and state.keys != keys:
            raise Conflict("this wallet is active with other keys")
        if in_use >= new:
            return ()
        if _public(state.keys) != _public(keys):
            raise Conflict("a change of shares may not change the wallet's keys")
    indices = ceremony.indices
    certificate = tuple(sorted((indices[m], signature) for m, signature in signatures.items()))
    return (
        WalletActivated(
            wallet=proposal.wallet,
            name=proposal.wallet_name,
            ceremony=proposal.ceremony,
            quorum=proposal.quorum,
            approvals_needed=proposal.approvals_needed,
            keys=keys,
            epoch=epoch,
            certificate_message=message,
            certificate=certificate,
            at_ms=at_ms,
        ),
    )


def decide(state: Wallet | None, command: WalletCommand) -> tuple[Event, ...]:
    """Return the events that a command causes; () if they are already recorded.

    Raises: NotYetPossible, Conflict, UnknownMember.
    """
    if state is None:
        raise NotYetPossible("this wallet is not known here yet")
    match command:
        case RecordErasure(erasure):
            if erasure.epoch >= state.epoch and (erasure.member, erasure.epoch) not in state.former:
                # Signed in advance it would count for shares that are still in use.
                raise NotYetPossible("the erasure is of an epoch that is not over here yet")
            if erasure.member not in state.erasing:
                raise UnknownMember(f"{erasure.member} never held a share of this wallet")
            known = any(
                e.member == erasure.member and e.epoch >= erasure.epoch for e in state.erased
            )
            return () if known else (erasure,)
        case RecordDrill(drill):
            if drill.epoch > state.epoch:
                raise NotYetPossible("the drill was in an epoch that is not known here yet")
            if drill.epoch == state.epoch and not _is_quorum(drill.signers, state.quorum):
                raise Conflict("a drill's signers are not a threshold of the custodians")
            return () if any(d.session == drill.session for d in state.drills) else (drill,)


def evolve(state: Wallet | None, event: Event) -> Wallet | None:
    """Return the state after one event of a wallet's stream."""
    match event:
        case WalletActivated():
            return _begin_epoch(state, event)
        case SharesErased() if state:
            return replace(state, erased=(*state.erased, event))
        case DrillPassed() if state:
            return replace(state, drills=(*state.drills, event))
        case _:
            return state


def _begin_epoch(state: Wallet | None, event: WalletActivated) -> Wallet:
    policy = Policy(event.epoch + 1, event.quorum, event.approvals_needed)
    former = dict(state.former) if state else {}
    if state:
        former |= dict.fromkeys(state.quorum.custodians, state.epoch)
    return Wallet(
        event.wallet,
        event.name,
        event.quorum,
        event.keys,
        event.epoch,
        policy,
        state.created_at_ms if state else event.at_ms,
        event.at_ms,
        event.certificate_message,
        event.certificate,
        tuple((m, held) for m, held in former.items() if m not in event.quorum.custodians),
        state.erased if state else (),
        state.drills if state else (),
    )


def _certificate(
    ceremony: KeyCeremony,
) -> tuple[tuple[GroupKey, ...], bytes, dict[MemberId, bytes]]:
    """Return the certified keys, the message that was signed, and all signatures by share index."""
    if ceremony.certified:
        whole = ceremony.certified
        return whole.keys, whole.certificate_message, dict(whole.signatures)
    sealed = ceremony.sealed
    if sealed is None:
        raise NotYetPossible("this member has sealed no share of the ceremony")
    signatures = {c.member: c.certificate_signature for c in ceremony.certifying}
    return sealed.keys, sealed.certificate_message, signatures


def _is_quorum(signers: tuple[MemberId, ...], quorum: Quorum) -> bool:
    known = set(signers) & set(quorum.custodians)
    return len(signers) == len(known) == quorum.threshold


def _public(keys: tuple[GroupKey, ...]) -> tuple[tuple[SignatureKind, bytes], ...]:
    return tuple((key.kind, key.public_key) for key in keys)
