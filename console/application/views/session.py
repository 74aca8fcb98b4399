"""The node, its vault and the roster."""

from enum import StrEnum

from console.application.views.view import View


class VaultView(View, frozen=True, kw_only=True):
    """The operator's token, as far as its state is known."""

    kind: str
    label: str
    model: str
    serial: str
    present: bool
    unlocked: bool
    attempts_left: int | None
    retry_after_s: float
    backing: str


class MemberView(View, frozen=True, kw_only=True):
    """A member of the roster as this node sees it. `is_me` is this node's own.

    `online` is whether its machine answers; `locked` whether it answers that its vault is locked.
    `trouble` says in two or three words why it is not reached, if that is known.
    """

    member: str
    name: str
    online: bool
    is_me: bool
    last_seen_ms: int | None
    ledger_sequence: int | None
    locked: bool = False
    trouble: str = ""
    lacks_share: bool = False
    """Of the wallet that is spoken of, if any."""

    @property
    def able(self) -> bool:
        """Whether it can sign now: its machine answers, is unlocked, and has its share."""
        return self.online and not self.locked and not self.lacks_share


class NodeState(StrEnum):
    """The node's state; other queries are answered only in `READY`."""

    LOCKED = "locked"
    OPENING = "opening"
    READY = "ready"
    HALTED = "halted"
    """The ledger or vault failed a check: read-only, `halted_because` says why."""


class SessionView(View, frozen=True, kw_only=True):
    """The sign-in screen and the frame; available while locked."""

    state: NodeState
    member: str
    member_name: str
    network: str
    chains: tuple[str, ...]
    version: str
    vault: VaultView
    members: tuple[MemberView, ...]
    ledger_sequence: int
    ledger_verified_to: int
    last_unlocked_ms: int | None
    halted_because: str
    opening_done: int
    opening_total: int
    followers: int = 1
    """How many clients follow this node's changes, the one that asks among them."""
