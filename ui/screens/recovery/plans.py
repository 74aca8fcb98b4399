"""Plans: the sentences that an operator reads before confirming."""

from collections.abc import Sequence
from typing import NamedTuple

from console.application.views import WalletSharesView
from ui import wording
from ui.screens.recovery.resharing import Reshare

_OPEN = "The ceremony stays open for 24 h and can be cancelled until all have certified."


class Point(NamedTuple):
    """One sentence with its icon."""

    icon: str
    text: str


class Confirmation(NamedTuple):
    """A question: its title, what will happen, and the word on the button."""

    title: str
    points: tuple[Point, ...]
    action: str


def refresh(wallet: WalletSharesView) -> Confirmation:
    """Return what a refresh does."""
    return Confirmation(
        f"Refresh the shares of {wallet.name}",
        (
            Point(
                "refresh",
                "Every custodian receives a new share of the same keys. Addresses do not change, "
                "and old shares cannot be combined with new ones.",
            ),
            _old_shares(),
            _everybody(wallet),
            Point("clock", _OPEN),
        ),
        "Propose refresh",
    )


def repair(wallet: WalletSharesView, member: str) -> Confirmation:
    """Return what a repair does for a member."""
    names = {share.member: share.name for share in wallet.shares}
    owner = names.get(member, member)
    return Confirmation(
        f"Repair a share of {wallet.name}",
        (
            Point(
                "wrench",
                f"The others restore the share of {owner} on the current machine. No one else "
                "learns it. Then all shares are refreshed; the lost one cannot be combined with "
                "them.",
            ),
            _old_shares(),
            _everybody(wallet),
            Point("clock", _OPEN),
        ),
        "Propose repair",
    )


def reshare(draft: Reshare) -> Confirmation:
    """Return what a reshare does."""
    people = draft.taking_part
    points = [
        Point("exchange", draft.sentence),
        Point(
            "key",
            f"{wording.listed(draft.names(draft.dealers))} deal the new shares. Keys and addresses "
            "do not change.",
        ),
        _old_shares(),
        Point(
            "people",
            f"{wording.count(len(people), 'person', 'people')} must take part: "
            f"{wording.listed(draft.names(people))}.{_away(draft.away())}",
        ),
    ]
    if draft.leaving:
        leaving = wording.listed(draft.names(draft.leaving))
        points.append(
            Point("ban", f"{leaving} must erase the old share, and sign that it is erased.")
        )
    points.append(Point("clock", _OPEN))
    return Confirmation(f"Reshare {draft.wallet.name}", tuple(points), "Propose reshare")


def drill(wallet: WalletSharesView) -> Confirmation:
    """Return what a drill does."""
    return Confirmation(
        f"Run a drill with {wallet.name}",
        (
            Point(
                "shield-check",
                f"Custodians sign a message that is no transaction, {wallet.threshold} at a time "
                "and with each kind of key, until all have signed. It can send nothing.",
            ),
            Point("seal", "Shares and epoch do not change."),
            _everybody(wallet),
        ),
        "Run drill",
    )


def link_key() -> Confirmation:
    """Return what a change of this machine's TLS key does."""
    return Confirmation(
        "Change this machine\u2019s TLS key",
        (
            Point(
                "refresh",
                "The node generates a new key for its links and tells the others, signed with "
                "your identity key. Shares and identity stay as they are.",
            ),
            Point(
                "people",
                "Old and new key count until all members have the new one. Then the node goes "
                "over by itself, and the old key is refused.",
            ),
            Point(
                "info",
                "This is for a key that may have been copied. A certificate that ends needs "
                "nothing: the node renews it with the same key.",
            ),
        ),
        "Change TLS key",
    )


def link_key_now(untold: Sequence[str]) -> Confirmation:
    """Return what it means not to wait for those who have not heard of the new key."""
    missing = wording.listed(untold) or "Nobody"
    return Confirmation(
        "Go over to the new TLS key now",
        (
            Point(
                "x-octagon",
                "All members that have heard of it refuse the old key from now on, whoever shows "
                "it.",
            ),
            Point(
                "clock",
                f"Not heard yet: {missing}. The node keeps the old key to tell them when they are "
                "back, and destroys it then.",
            ),
        ),
        "Go over now",
    )


def _old_shares() -> Point:
    return Point(
        "shield-check",
        "The old shares stay valid until all participants have certified the new ones. If it "
        "stops before that, nothing changes.",
    )


def _everybody(wallet: WalletSharesView) -> Point:
    names = wording.listed([share.name for share in wallet.shares])
    return Point(
        "people",
        f"All {len(wallet.shares)} custodians must take part: {names}."
        f"{_away(_unreachable(wallet))}",
    )


def _unreachable(wallet: WalletSharesView) -> list[str]:
    return [share.name for share in wallet.shares if not share.able]


def _away(names: Sequence[str]) -> str:
    return f" Unreachable now: {wording.listed(names)}." if names else ""


def decision(leaving: list[str], deciding: list[str]) -> str:
    """Return what a decision does, for people."""
    first = f"{wording.listed(leaving)} leave{'s' if len(leaving) == 1 else ''} the vault. "
    return f"{first if leaving else ''}From then on {wording.listed(deciding)} decide" + (
        "s." if len(deciding) == 1 else "."
    )
