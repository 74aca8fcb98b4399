"""What commands are about, and how their effects are found when the node did not answer."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from console.application import commands as c
from console.application.api import (
    GetCeremonies,
    GetCeremony,
    GetInbox,
    GetRecovery,
    GetRequest,
    PreviewMachine,
    Query,
)
from console.application.views import (
    CeremonyStage,
    CeremonyView,
    RequestStage,
    RequestView,
    StepState,
    View,
)
from console.domain.values import CeremonyPurpose

V = TypeVar("V", bound=View)
Ask = Callable[[Query[V]], Awaitable[V]]
_SLACK_MS = 60_000
"""The node may date what it records by another clock than the window's."""
_NEWEST = 20
_ONCE = "You may do it again: it counts once."
_LOOK = "Look whether it appears before you do it again: it would be made twice."
_HARMLESS = "Whether it was done cannot be checked. It may be repeated."
_PURPOSES = {
    c.ProposeRefresh: CeremonyPurpose.REFRESH,
    c.ProposeRepair: CeremonyPurpose.REPAIR,
    c.ProposeReshare: CeremonyPurpose.RESHARE,
}
_ABOUT_REQUESTS = {
    c.ApproveRequest: "Approval of request",
    c.DenyRequest: "Denial of request",
    c.WithdrawRequest: "Withdrawal of request",
    c.RetrySigning: "New attempt to sign request",
}
_ABOUT_CEREMONIES = {
    c.AcceptCeremony: "Acceptance of ceremony",
    c.DeclineCeremony: "Refusal of ceremony",
    c.ConfirmCeremonyCode: "Confirmation of the code of ceremony",
    c.CancelCeremony: "Cancelling of ceremony",
}
_CHANGES = {
    c.ProposeRefresh: "Proposal of a refresh",
    c.ProposeRepair: "Proposal of a repair",
    c.ProposeReshare: "Proposal of a reshare",
    c.RunDrill: "Drill",
}
_OTHERS = {
    c.Unlock: ("Unlocking", "overview"),
    c.Lock: ("Locking", "overview"),
    c.ProposeTransfer: ("Request for approval", "approvals"),
    c.ProposeCeremony: ("Proposal of a ceremony", "ceremonies"),
    c.ProposeMachine: ("Endorsement of a new machine", "recovery"),
    c.SignDecision: ("Decision about the members", "recovery"),
    c.ChangeAddress: ("Change of this machine\u2019s address", "recovery"),
    c.SetPeerAddress: ("Address of a member\u2019s machine", "recovery"),
    c.ChangeLinkKey: ("Change of this machine\u2019s TLS key", "recovery"),
    c.FinishLinkKey: ("Going over to the new TLS key", "recovery"),
    c.FundFromFaucet: ("Coins from the faucet", "wallets"),
    c.VerifyLedger: ("Verification of the ledger", "audit"),
    c.ExportLedger: ("Export of the ledger", "audit"),
}
_CREATES = {
    c.ProposeTransfer: "review",
    c.ProposeCeremony: "ceremonies",
    c.ProposeRefresh: "ceremonies",
    c.ProposeRepair: "ceremonies",
    c.ProposeReshare: "ceremonies",
}


class Subject(NamedTuple):
    """What a command is about, in words, and the screen that shows it."""

    words: str
    screen: str
    key: str = ""
    creates: str = ""
    """The screen of what it creates."""

    def found(self, key: str) -> "Subject":
        """Return the same, with what it created."""
        if not self.creates or not key:
            return self
        return self._replace(screen=self.creates, key=key)


def subject_of(command: c.Command) -> Subject:
    """Return what a command is about."""
    kind = type(command)
    match command:
        case c.ApproveRequest() | c.DenyRequest() | c.WithdrawRequest() | c.RetrySigning():
            name = command.request[-6:].upper()
            return Subject(f"{_ABOUT_REQUESTS[kind]} {name}", "review", command.request)
        case c.AcceptCeremony() | c.DeclineCeremony():
            return _of_ceremony(kind, command.ceremony)
        case c.ConfirmCeremonyCode() | c.CancelCeremony():
            return _of_ceremony(kind, command.ceremony)
        case c.ProposeRefresh() | c.ProposeRepair() | c.ProposeReshare() | c.RunDrill():
            return Subject(_CHANGES[kind], "recovery", command.wallet, _CREATES.get(kind, ""))
        case c.ApproveMachine():
            return Subject("Endorsement of a machine", "recovery", command.member)
    words, screen = _OTHERS[kind]
    wallet = command.wallet if isinstance(command, c.FundFromFaucet) else ""
    return Subject(words, screen, wallet, _CREATES.get(kind, ""))


def again(command: c.Command) -> str:
    """Return what to do about a command that is not recorded so far."""
    if isinstance(command, c.FundFromFaucet | c.VerifyLedger | c.ExportLedger | c.RetrySigning):
        return _HARMLESS
    creates = type(command) in _CREATES or isinstance(command, c.RunDrill)
    return _LOOK if creates else _ONCE


async def find_effect(command: c.Command, ask: Ask[View], me: str, since_ms: int) -> str | None:
    """Return the subject of what a command has caused, or None if nothing of it is found.

    Raises: CommandRefused, NodeUnreachable.
    """
    looker = _Looker(ask, me, since_ms)
    match command:
        case c.ApproveRequest(request=name) | c.DenyRequest(request=name):
            return await looker.decision(command, name)
        case c.WithdrawRequest(request=name):
            view = await looker.request(name)
            return name if view.stage is RequestStage.WITHDRAWN else None
        case c.RetrySigning(request=name):
            view = await looker.request(name)
            return name if view.run is not None and not view.run.failure else None
        case c.ProposeTransfer():
            return await looker.transfer(command)
        case (
            c.AcceptCeremony(ceremony=name)
            | c.DeclineCeremony(ceremony=name)
            | c.ConfirmCeremonyCode(ceremony=name)
            | c.CancelCeremony(ceremony=name)
        ):
            return await looker.ceremony(command, name)
        case c.ProposeCeremony(wallet_name=name):
            return await looker.proposal(CeremonyPurpose.GENERATE, lambda v: v.wallet_name == name)
        case c.ProposeRefresh() | c.ProposeRepair() | c.ProposeReshare():
            wallet = command.wallet
            purpose = _PURPOSES[type(command)]
            return await looker.proposal(purpose, lambda v: v.wallet == wallet)
        case c.RunDrill(wallet=wallet):
            return await looker.drill(wallet)
        case c.ApproveMachine(member=member, digest=digest):
            return await looker.machine(member, digest)
        case c.SignDecision(digest=digest):
            return await looker.roster_decision(digest)
        case c.ProposeMachine(entry=entry):
            preview = await looker.ask(PreviewMachine(entry))
            return await looker.machine(preview.member, preview.digest)
        case c.ChangeAddress() | c.SetPeerAddress() | c.ChangeLinkKey() | c.FinishLinkKey():
            return await looker.link(command)
    return None


class _Looker:
    """Looks into the node's views for what this member has done since a time."""

    def __init__(self, ask: Ask[View], me: str, since_ms: int) -> None:
        self._ask, self._me = ask, me
        self._since_ms = since_ms - _SLACK_MS

    async def ask(self, query: Query[V]) -> V:
        """Return a query's view."""
        # `Ask` is the link's own, which returns the view of each query.
        return await self._ask(query)  # type: ignore[return-value]

    async def request(self, name: str) -> RequestView:
        return await self.ask(GetRequest(name))

    async def decision(self, command: c.Command, name: str) -> str | None:
        wanted = StepState.DONE if isinstance(command, c.ApproveRequest) else StepState.DENIED
        view = await self.request(name)
        mine = [item for item in view.approvals if item.is_me]
        return name if any(item.state is wanted for item in mine) else None

    async def transfer(self, command: c.ProposeTransfer) -> str | None:
        rows = (await self.ask(GetInbox())).rows
        recent = [row for row in rows if row.proposed_at_ms >= self._since_ms][:_NEWEST]
        for row in recent:
            view = await self.request(row.request)
            same = view.unsigned_bytes == command.transaction.hex()
            if same and (view.proposer, view.wallet) == (self._me, command.wallet):
                return row.request
        return None

    async def ceremony(self, command: c.Command, name: str) -> str | None:
        view = await self.ask(GetCeremony(name))
        mine = [person for person in view.custodians if person.is_me]
        match command:
            case c.AcceptCeremony():
                there = any(person.accepted is StepState.DONE for person in mine)
            case c.ConfirmCeremonyCode():
                there = any(person.confirmed is StepState.DONE for person in mine)
            case c.DeclineCeremony():
                there = any(person.accepted is StepState.DENIED for person in mine)
                there = there or view.stage is CeremonyStage.DECLINED
            case _:
                there = view.stage is CeremonyStage.CANCELLED
        return name if there else None

    async def proposal(
        self, purpose: CeremonyPurpose, same: Callable[[CeremonyView], bool]
    ) -> str | None:
        for view in (await self.ask(GetCeremonies())).ceremonies:
            mine = view.proposer == self._me and view.purpose == purpose
            if mine and view.proposed_at_ms >= self._since_ms and same(view):
                return view.ceremony
        return None

    async def link(self, command: c.Command) -> str | None:
        who = command.member if isinstance(command, c.SetPeerAddress) else self._me
        links = (await self.ask(GetRecovery())).links
        link = next((item for item in links if item.member == who), None)
        if link is None:
            return None
        match command:
            case c.ChangeAddress(address=address):
                there = link.address == address
            case c.SetPeerAddress(address=address):
                there = link.address_here == address
            case c.ChangeLinkKey():
                there = link.new_key
            case _:
                there = not link.new_key
        return who if there else None

    async def drill(self, wallet: str) -> str | None:
        for view in (await self.ask(GetRecovery())).wallets:
            if view.wallet == wallet and any(d.at_ms >= self._since_ms for d in view.drills):
                return wallet
        return None

    async def machine(self, member: str, digest: str) -> str | None:
        for view in (await self.ask(GetRecovery())).machines:
            mine = any(a.is_me and a.state is StepState.DONE for a in view.approvals)
            if mine and (view.member, view.digest) == (member, digest):
                return member
        return None

    async def roster_decision(self, digest: str) -> str | None:
        """Return the decision if this member's signature of it is on record."""
        roster = (await self.ask(GetRecovery())).roster
        if digest in roster.carried:
            return digest
        for view in roster.decisions:
            if view.digest == digest and any(
                a.is_me and a.state is StepState.DONE for a in view.approvals
            ):
                return digest
        return None


def _of_ceremony(kind: type[c.Command], name: str) -> Subject:
    return Subject(f"{_ABOUT_CEREMONIES[kind]} {name[-6:].upper()}", "ceremonies", name)
