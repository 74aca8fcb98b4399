"""Who belongs to the vault, and who decides about it."""

from console.application.views.steps import ApprovalView
from console.application.views.view import View


class DecisionView(View, frozen=True, kw_only=True):
    """A decision that waits for signatures: `retires` leave, `electors` decide from then on.

    Those who sign compare `short_code`. `retires` and `electors` are members' ids.
    """

    digest: str
    short_code: str
    retires: tuple[str, ...]
    electors: tuple[str, ...]
    proposed_at_ms: int
    approvals: tuple[ApprovalView, ...]
    signatures_needed: int
    can_sign: bool
    blocked_because: str


class DecisionPreview(View, frozen=True, kw_only=True):
    """A decision that nobody has signed yet. `problems` block it."""

    digest: str
    short_code: str
    signatures_needed: int
    problems: tuple[str, ...]


class FormerMemberView(View, frozen=True):
    """Who has left, by which decision."""

    member: str
    name: str
    decision: int


class RosterView(View, frozen=True, kw_only=True):
    """`electors` decide about the roster and admit machines; `decides` says whether we do.

    `carried` are the digests of the decisions in force, the oldest first.
    """

    carried: tuple[str, ...] = ()
    electors: tuple[str, ...] = ()
    decides: bool = False
    decisions: tuple[DecisionView, ...] = ()
    former: tuple[FormerMemberView, ...] = ()
