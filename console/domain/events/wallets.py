"""Events of wallets: their epochs, drills and erasures."""

from dataclasses import dataclass
from typing import ClassVar

from console.domain.events.fact import Event, Evidence, GroupKey
from console.domain.ids import CeremonyId, MemberId, SessionId, WalletId
from console.domain.values import Quorum


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletActivated(Event):
    """All custodians certified the keys; from now on the wallet can sign.

    `certificate` holds one signature per share index over `certificate_message`.
    """

    NAME: ClassVar[str] = "wallet.activated.v1"
    wallet: WalletId
    name: str
    ceremony: CeremonyId
    quorum: Quorum
    approvals_needed: int
    keys: tuple[GroupKey, ...]
    epoch: int
    certificate_message: bytes
    certificate: tuple[tuple[int, bytes], ...]
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesErased(Event):
    """A member signed that its shares of all epochs up to `epoch` are erased."""

    NAME: ClassVar[str] = "wallet.shares-erased.v1"
    wallet: WalletId
    epoch: int
    member: MemberId
    at_ms: int
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillPassed(Event):
    """Custodians signed the drill's message with every key; verified here under the group keys."""

    NAME: ClassVar[str] = "wallet.drill-passed.v1"
    wallet: WalletId
    epoch: int
    session: SessionId
    signers: tuple[MemberId, ...]
    signatures: tuple[bytes, ...]
    at_ms: int
    evidence: Evidence
