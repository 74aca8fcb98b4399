"""Key ceremonies."""

from enum import StrEnum

import msgspec

from console.application.views.session import MemberView
from console.application.views.steps import ProtocolSessionView, StepState
from console.application.views.view import View


class CeremonyStage(StrEnum):
    AWAITING_ACCEPTANCE = "awaiting-acceptance"
    READY = "ready"
    RUNNING = "running"
    COMPARING = "comparing"
    """Shares are sealed as pending; custodians compare the code and confirm it."""
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class CustodianView(View, frozen=True, kw_only=True):
    """A custodian in a ceremony."""

    member: str
    name: str
    is_me: bool
    accepted: StepState
    accepted_ms: int | None
    confirmed: StepState
    confirmed_ms: int | None


class CeremonyView(View, frozen=True, kw_only=True):
    """A ceremony. `purpose` is a `CeremonyPurpose`; `epoch` is the one that it begins.

    `custodians` lists all participants. `repaired` names the member whose share is repaired,
    `leaving` the members that hold no share afterwards.
    """

    ceremony: str
    purpose: str
    epoch: int
    repaired: str
    leaving: tuple[str, ...]
    wallet: str
    wallet_name: str
    kinds: tuple[str, ...]
    key_names: tuple[str, ...]
    """The kinds as people read them in full, with what they are for."""
    threshold: int
    approvals_needed: int
    custodians: tuple[CustodianView, ...]
    proposer: str
    proposer_name: str
    stage: CeremonyStage
    sentence: str
    proposed_at_ms: int = msgspec.field(name="proposed_at_ms")
    expires_at_ms: int = msgspec.field(name="expires_at_ms")
    run: ProtocolSessionView | None
    failed_runs: tuple[ProtocolSessionView, ...]
    code: str
    """The code that all operators compare: six words and a group; empty until shares are sealed."""
    safety: str
    """What an abort would mean now, for example "No key exists yet. You can start again."."""
    can_accept: bool
    can_confirm: bool
    can_cancel: bool


class KeyKindView(View, frozen=True):
    """A kind of keys that can be made; `name` says what it is for."""

    kind: str
    name: str


class CeremoniesView(View, frozen=True, kw_only=True):
    """A page of the ceremonies, of `total` in all, and what a new one chooses from."""

    ceremonies: tuple[CeremonyView, ...]
    total: int
    members: tuple[MemberView, ...]
    kinds: tuple[KeyKindView, ...]
