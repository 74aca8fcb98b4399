"""Shares and machines for tests and pictures: one wallet for every trouble, five members."""

import hashlib

from console.application import views as v
from console.application.views import ShareState, StepState
from console.domain.short_code import short_code
from tests.fakes import scenario
from tests.fakes.scenario import HOUR, KEYS, MINUTE, NOW_MS, PEOPLE, digest

DAY = 24 * HOUR
ROSTER = PEOPLE | {"dara": "Dara Levi", "eli": "Eli Brandt"}
QUARANTINED = "wl-0a77e5c2b1904d36"
LOST = "wl-2be1904fd06c7a58"
UNDER_WAY = "wl-44c0de7b9a1f6e02"
OVERDUE = "wl-6d2f81a0c4e97b13"
TREASURY = scenario.WALLET
RESERVE = scenario.RESERVE
ENTRY = '{"member": "ben", "name": "Ben Okafor", "address": "ben.example.net:7443"}'
BAD_ENTRY = '{"member": "ana"}'
POSSIBLE = v.ActionView(True, "")


def members(me: str = "ana") -> tuple[v.MemberView, ...]:
    """Return all five members; Chiara is away."""
    return tuple(
        v.MemberView(
            member=member,
            name=name,
            online=member != "chiara",
            is_me=member == me,
            last_seen_ms=NOW_MS - (26 * MINUTE if member == "chiara" else 4_000),
            ledger_sequence=scenario.LEDGER_SIZE,
        )
        for member, name in ROSTER.items()
    )


def link(member: str, me: str = "ana", **changes: object) -> v.LinkView:
    """Return a machine that is reached, with a certificate that lasts."""
    facts: dict[str, object] = {
        "member": member,
        "name": ROSTER[member],
        "is_me": member == me,
        "online": member != "chiara",
        "address": f"{member}.example.net:7443",
        "address_here": "",
        "version": "0.1.0",
        "version_differs": False,
        "certificate_ends_ms": NOW_MS + 2000 * DAY,
        "warning": "",
        "advice": "",
        "new_key": False,
        "untold": (),
    }
    return v.LinkView(**(facts | changes))  # type: ignore[arg-type]


def links(me: str = "ana") -> tuple[v.LinkView, ...]:
    """Return all five machines: one has another version, and one a certificate that ends."""
    return (
        link("ana", me),
        link("ben", me, version="0.2.0", version_differs=True),
        link("chiara", me, address_here="192.0.2.7:7443", version=""),
        link(
            "dara",
            me,
            certificate_ends_ms=NOW_MS + 41 * DAY,
            warning="Dara Levi\u2019s certificate ends in 41 days",
            advice="Ask Dara Levi to start that machine\u2019s node, or to update it: it then "
            "renews its certificate by itself",
        ),
        link("eli", me),
    )


_DETAILS = {
    ShareState.SEALED: "Certified when this epoch began, not used since.",
    ShareState.PROVED: "Signed in a drill, and the signature verified.",
    ShareState.LOST: "Its machine was replaced on 2026-03-02. It needs a repair.",
    ShareState.BANNED: "Ana Ruiz does not sign with it before the next refresh: its signature "
    "share was wrong on 2026-03-03.",
}


def share(member: str, state: ShareState = ShareState.PROVED, me: str = "ana") -> v.ShareView:
    """Return a custodian's share."""
    used = state in {ShareState.PROVED, ShareState.BANNED}
    hours = 3 + 5 * list(ROSTER).index(member)
    return v.ShareView(
        member=member,
        name=ROSTER[member],
        is_me=member == me,
        online=member != "chiara",
        state=state,
        detail=_DETAILS[state],
        last_proved_ms=NOW_MS - hours * HOUR if used else None,
    )


def drill(days: int, signers: tuple[str, ...], epoch: int = 3) -> v.DrillView:
    """Return a drill some days ago."""
    people = tuple(ROSTER[member] for member in signers)
    return v.DrillView(
        at_ms=NOW_MS - days * DAY - 11 * MINUTE,
        epoch=epoch,
        kinds=tuple(KEYS),
        key_names=tuple(KEYS.values()),
        signers=people,
    )


def shares(wallet: str = TREASURY, name: str = "Treasury", **changes: object) -> v.WalletSharesView:
    """Return the shares of a wallet in good health."""
    facts: dict[str, object] = {
        "wallet": wallet,
        "name": name,
        "kinds": tuple(KEYS),
        "key_names": tuple(KEYS.values()),
        "threshold": 2,
        "approvals_needed": 2,
        "epoch": 3,
        "epoch_began_ms": NOW_MS - 18 * DAY,
        "refresh_due_ms": NOW_MS + 12 * DAY + HOUR,
        "quarantined_because": "",
        "shares": (share("ana"), share("ben"), share("chiara", ShareState.SEALED)),
        "drills": (
            drill(2, ("ana", "ben")),
            drill(9, ("ben", "chiara")),
            drill(30, ("ana", "ben", "chiara"), 2),
        ),
        "open_ceremony": "",
        "erased": ("Ana Ruiz", "Ben Okafor"),
        "not_erased": ("Chiara Neri",),
        "repairable": ("ana", "ben", "chiara"),
        "refresh": POSSIBLE,
        "repair": POSSIBLE,
        "reshare": POSSIBLE,
        "drill": POSSIBLE,
    }
    return v.WalletSharesView(**(facts | changes))  # type: ignore[arg-type]


def wallets() -> tuple[v.WalletSharesView, ...]:
    """Return every state of a wallet's shares, by name."""
    waits = v.ActionView(False, "Chiara Neri has no share yet: repair it first")
    alone = "With one custodian lost, fewer than the threshold remain: no repair is possible"
    return (
        shares(
            QUARANTINED,
            "Cold store",
            quarantined_because="every part verified, the signature of 11:20 UTC did not, and "
            "nobody could be named",
            drills=(),
            erased=("Ana Ruiz", "Ben Okafor", "Chiara Neri"),
            not_erased=(),
        ),
        shares(
            LOST,
            "Grants",
            shares=(share("ana"), share("ben"), share("chiara", ShareState.LOST)),
            repairable=("chiara", "ana", "ben"),
            refresh=waits,
            drill=waits,
        ),
        shares(
            UNDER_WAY,
            "Operations",
            open_ceremony=scenario.change_name("refresh"),
            **dict.fromkeys(
                ("refresh", "repair", "reshare", "drill"),
                v.ActionView(False, "Another ceremony of this wallet is open"),
            ),
        ),
        shares(
            OVERDUE,
            "Payroll",
            threshold=3,
            approvals_needed=3,
            refresh_due_ms=NOW_MS - 3 * DAY - HOUR,
            epoch_began_ms=NOW_MS - 93 * DAY,
            shares=(
                share("ana"),
                share("ben", ShareState.BANNED),
                share("chiara"),
                share("dara", ShareState.SEALED),
                share("eli"),
            ),
            erased=(),
            not_erased=(),
        ),
        shares(
            RESERVE,
            "Reserve",
            epoch=0,
            threshold=3,
            repair=v.ActionView(False, alone),
            kinds=("eddsa-ed25519",),
            key_names=(KEYS["eddsa-ed25519"],),
            epoch_began_ms=NOW_MS - 9 * DAY,
            refresh_due_ms=NOW_MS + 81 * DAY,
            shares=tuple(share(m, ShareState.SEALED) for m in PEOPLE),
            drills=(),
            erased=(),
            not_erased=(),
        ),
        shares(),
    )


def machine(member: str, *, endorsed: tuple[str, ...], **changes: object) -> v.MachineView:
    """Return a machine; everybody but its owner can endorse it."""
    replaces = member in PEOPLE
    approvals = tuple(
        v.ApprovalView(
            member=other,
            name=name,
            is_me=other == "ana",
            state=StepState.DONE if other in endorsed else StepState.WAITING,
            at_ms=NOW_MS - (30 - 7 * place) * MINUTE if other in endorsed else None,
            reason="",
        )
        for place, (other, name) in enumerate(ROSTER.items())
        if other != member
    )
    admitted = len(endorsed) >= 3
    mine = "ana" in endorsed
    facts: dict[str, object] = {
        "member": member,
        "name": ROSTER[member],
        "address": f"{member}.example.net:7443",
        "digest": digest(f"machine {member}"),
        "short_code": short_code(hashlib.sha256(member.encode()).digest()),
        "fingerprint": digest(f"key {member}"),
        "replaces": replaces,
        "proposed_at_ms": NOW_MS - 44 * MINUTE,
        "approvals": approvals,
        "approvals_needed": 3,
        "admitted": admitted,
        "can_approve": not admitted and not mine,
        "approve_blocked_because": "You have endorsed it" if mine and not admitted else "",
    }
    return v.MachineView(**(facts | changes))  # type: ignore[arg-type]


def machines() -> tuple[v.MachineView, ...]:
    """Return one that waits for me, one that waits for others, and two that came in."""
    return (
        machine("ben", endorsed=("dara",)),
        machine("dara", endorsed=("ana", "eli")),
        machine("chiara", endorsed=("ana", "ben", "dara"), proposed_at_ms=NOW_MS - 2 * DAY),
        machine("eli", endorsed=("ana", "ben", "chiara"), proposed_at_ms=NOW_MS - 40 * DAY),
    )


def preview(entry: str) -> v.MachinePreview:
    """Return what an entry line says."""
    bad = entry == BAD_ENTRY
    return v.MachinePreview(
        member="ana" if bad else "ben",
        name="Ana Ruiz" if bad else "Ben Okafor",
        address="ben.example.net:7443",
        digest=digest("machine ben"),
        short_code=short_code(bytes(32)),
        fingerprint=digest("key ben"),
        replaces=True,
        problems=("other founders endorse this member's machines",) if bad else (),
    )


def decision(*, signed: tuple[str, ...] = ("ben", "dara"), **changes: object) -> v.DecisionView:
    """Return a decision by which Eli leaves; Eli does not decide about it."""
    facts: dict[str, object] = {
        "digest": digest("Eli leaves"),
        "short_code": short_code(hashlib.sha256(b"Eli leaves").digest()),
        "retires": ("eli",),
        "electors": tuple(m for m in ROSTER if m != "eli"),
        "proposed_at_ms": NOW_MS - 18 * MINUTE,
        "approvals": tuple(
            v.ApprovalView(
                member=member,
                name=name,
                is_me=member == "ana",
                state=StepState.DONE if member in signed else StepState.WAITING,
                at_ms=NOW_MS - 9 * MINUTE if member in signed else None,
                reason="",
            )
            for member, name in ROSTER.items()
            if member != "eli"
        ),
        "signatures_needed": 3,
        "can_sign": "ana" not in signed,
        "blocked_because": "You have signed it" if "ana" in signed else "",
    }
    return v.DecisionView(**(facts | changes))  # type: ignore[arg-type]


def roster(*decisions: v.DecisionView) -> v.RosterView:
    """Return who decides; Fay has left."""
    return v.RosterView(
        carried=(digest("Fay leaves"),),
        electors=tuple(ROSTER),
        decides=True,
        decisions=decisions,
        former=(v.FormerMemberView("fay", "Fay Lindqvist", 1),),
    )


def decision_preview(retires: tuple[str, ...], electors: tuple[str, ...]) -> v.DecisionPreview:
    """Return a decision as it would be signed; it cannot let both Ben and Chiara go."""
    lost = {"ben", "chiara"} <= set(retires)
    return v.DecisionPreview(
        digest=digest(f"{retires} {electors}"),
        short_code=short_code(hashlib.sha256(repr((retires, electors)).encode()).digest()),
        signatures_needed=3,
        problems=("Treasury could not be signed for any more: reshare it first",) if lost else (),
    )


def recovery(me: str = "ana", *, empty: bool = False) -> v.RecoveryView:
    """Return everything of the Recovery screen."""
    if empty:
        return v.RecoveryView(wallets=(), machines=(), members=members(me))
    return v.RecoveryView(
        wallets=wallets(),
        machines=machines(),
        members=members(me),
        roster=roster(decision()),
        links=links(me),
    )
