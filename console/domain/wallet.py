"""Wallet: the certified group keys, their quorum and epoch."""

from dataclasses import dataclass

from console.domain.errors import Conflict, NotYetPossible
from console.domain.events import Event, GroupKey, WalletActivated
from console.domain.ids import WalletId
from console.domain.key_ceremony import CeremonyState, KeyCeremony
from console.domain.policy import Policy
from console.domain.values import Quorum, SignatureKind

FIRST_EPOCH = 0
FIRST_POLICY_VERSION = 1


@dataclass(frozen=True, slots=True)
class Wallet:
    """An active wallet."""

    wallet: WalletId
    name: str
    quorum: Quorum
    keys: tuple[GroupKey, ...]
    epoch: int
    policy: Policy
    created_at_ms: int

    def key(self, kind: SignatureKind) -> GroupKey:
        """Return the group key of a kind. Raises: NotYetPossible if the wallet has none."""
        for key in self.keys:
            if key.kind is kind:
                return key
        raise NotYetPossible(f"{self.name} has no {kind.value} key; a new ceremony would make one")


def activate(state: Wallet | None, ceremony: KeyCeremony, at_ms: int) -> tuple[Event, ...]:
    """Turn a certified ceremony into a wallet; () when it is active already.

    The caller has verified every certificate signature. Raises: NotYetPossible, Conflict.
    """
    proposal, sealed = ceremony.proposal, ceremony.sealed
    if ceremony.state is not CeremonyState.CERTIFIED or sealed is None:
        raise NotYetPossible("a wallet needs the certificate of all its custodians")
    if state is not None:
        if state.keys != sealed.keys:
            raise Conflict("this wallet is active with other keys")
        return ()
    certificate = tuple(
        sorted(
            (ceremony.quorum.index_of(c.member), c.certificate_signature)
            for c in ceremony.certifying
        )
    )
    return (
        WalletActivated(
            proposal.wallet,
            proposal.wallet_name,
            proposal.ceremony,
            proposal.quorum,
            proposal.approvals_needed,
            sealed.keys,
            FIRST_EPOCH,
            sealed.certificate_message,
            certificate,
            at_ms,
        ),
    )


def evolve(state: Wallet | None, event: Event) -> Wallet | None:
    """Fold one event of a wallet's stream."""
    match event:
        case WalletActivated():
            policy = Policy(FIRST_POLICY_VERSION, event.quorum, event.approvals_needed)
            return Wallet(
                event.wallet,
                event.name,
                event.quorum,
                event.keys,
                event.epoch,
                policy,
                event.at_ms,
            )
        case _:
            return state
