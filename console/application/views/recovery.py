"""Shares, drills and machines."""

from enum import StrEnum

import msgspec

from console.application.views.roster import RosterView
from console.application.views.session import MemberView
from console.application.views.steps import ApprovalView
from console.application.views.view import View


class ShareState(StrEnum):
    """The state of one custodian's share in the wallet's epoch."""

    SEALED = "sealed"
    """Certified by its owner as sealed."""
    PROVED = "proved"
    """Used since then, in a signature or a drill that verified."""
    LOST = "lost"
    """Its machine was replaced since then: the share needs a repair."""
    BANNED = "banned"
    """A peer does not sign with it until the next refresh; `detail` says who and why."""


class ShareView(View, frozen=True, kw_only=True):
    """A custodian's share. `last_proved_ms` is the time of the newest signature that verified.

    `trouble` says in two or three words why its machine is not reached, if that is known.
    """

    member: str
    name: str
    is_me: bool
    online: bool
    state: ShareState
    detail: str
    last_proved_ms: int | None
    locked: bool = False
    trouble: str = ""

    @property
    def able(self) -> bool:
        """Whether its custodian can sign now: the machine answers, and is unlocked."""
        return self.online and not self.locked


class DrillView(View, frozen=True, kw_only=True):
    """A drill: custodians proved that they can sign with all kinds of keys of an epoch."""

    at_ms: int
    epoch: int
    kinds: tuple[str, ...]
    key_names: tuple[str, ...]
    """The kinds as people read them in full, with what they are for."""
    signers: tuple[str, ...]


class ActionView(View, frozen=True):
    """Whether an action is possible now; `because` says why not."""

    possible: bool
    because: str


class WalletSharesView(View, frozen=True, kw_only=True):
    """The shares of one wallet, and the actions on them.

    `quarantined_because` is set when a signature was wrong and no member could be blamed: this
    member then signs nothing with the wallet until a refresh. `open_ceremony` names the one in
    progress. `erased` are former custodians, or custodians of the previous epoch, that signed
    that their old shares are erased; `not_erased` those that have not yet.
    `repairable` are the members whose share can be repaired.
    """

    wallet: str
    name: str
    kinds: tuple[str, ...]
    key_names: tuple[str, ...]
    """The kinds as people read them in full, with what they are for."""
    threshold: int
    approvals_needed: int
    epoch: int
    epoch_began_ms: int
    refresh_due_ms: int
    quarantined_because: str
    shares: tuple[ShareView, ...]
    drills: tuple[DrillView, ...]
    open_ceremony: str
    erased: tuple[str, ...]
    not_erased: tuple[str, ...]
    repairable: tuple[str, ...]
    refresh: ActionView
    repair: ActionView
    reshare: ActionView
    drill: ActionView


class MachineView(View, frozen=True, kw_only=True):
    """A machine that members endorse: a member's new one, or a new member's first.

    Its owner reads out `short_code`. `fingerprint` is the SHA-256 of its identity key, in
    hexadecimal. `replaces` says whether the member has had another machine.
    """

    member: str
    name: str
    address: str
    digest: str
    short_code: str
    fingerprint: str
    replaces: bool
    proposed_at_ms: int = msgspec.field(name="proposed_at_ms")
    approvals: tuple[ApprovalView, ...]
    approvals_needed: int
    admitted: bool
    can_approve: bool
    approve_blocked_because: str


class MachinePreview(View, frozen=True, kw_only=True):
    """An entry line that no member has endorsed yet. `problems` block it."""

    member: str
    name: str
    address: str
    digest: str
    short_code: str
    fingerprint: str
    replaces: bool
    problems: tuple[str, ...]


class LinkView(View, frozen=True, kw_only=True):
    """How a member's machine is reached, as this node sees it. `is_me` is this node's own.

    `address` is what the member says, `address_here` what this node's operator entered instead.
    `version` is its program's, "" if that is not known. `certificate_ends_ms` is None if that is
    not known; `warning` and `advice` say what is wrong with it and what to do. While the TLS key
    changes, `new_key` is set; of one's own change, `untold` names who has not heard of it yet.
    """

    member: str
    name: str
    is_me: bool
    online: bool
    address: str
    address_here: str
    version: str
    version_differs: bool
    certificate_ends_ms: int | None
    warning: str
    advice: str
    new_key: bool
    untold: tuple[str, ...]


class RecoveryView(View, frozen=True, kw_only=True):
    """The Recovery screen; machines newest first, wallets by name, links in the roster's order."""

    wallets: tuple[WalletSharesView, ...]
    machines: tuple[MachineView, ...]
    members: tuple[MemberView, ...]
    roster: RosterView = RosterView()
    links: tuple[LinkView, ...] = ()
