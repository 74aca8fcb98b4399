"""A reshare while it is planned: dealers, participants, summary and problems."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.application.views import MemberView, ShareState, ShareView, WalletSharesView
from console.domain.values import MAX_CUSTODIANS
from ui import wording


@dataclass(frozen=True, slots=True)
class Reshare:
    """The form's content. `custodians` are those after the reshare."""

    wallet: WalletSharesView
    members: tuple[MemberView, ...]
    custodians: tuple[str, ...]
    threshold: int
    approvals: int

    @property
    def dealers(self) -> tuple[str, ...]:
        """The dealers: this member and all that stay, other current custodians only as needed.

        Leaving members then cannot block it, and no lost or banned share is needed.
        """
        usable = [share for share in self.wallet.shares if share.state is not ShareState.LOST]
        sure = [share for share in usable if share.is_me or self._is_sure(share)]
        spare = sorted((share for share in usable if share not in sure), key=self._reluctance)
        missing = max(self.wallet.threshold - len(sure), 0)
        chosen = {share.member for share in (*sure, *spare[:missing])}
        return tuple(share.member for share in self.wallet.shares if share.member in chosen)

    @property
    def taking_part(self) -> tuple[str, ...]:
        """The members that accept and certify: dealers, then those that join."""
        dealers = self.dealers
        return (*dealers, *(member for member in self.custodians if member not in dealers))

    @property
    def leaving(self) -> tuple[str, ...]:
        """Current custodians that hold no share afterwards."""
        today = (share.member for share in self.wallet.shares)
        return tuple(member for member in today if member not in self.custodians)

    @property
    def sentence(self) -> str:
        """Summary, "3 of 5 will sign; Ana stays, Dara and Eli join, nobody leaves."."""
        today = {share.member for share in self.wallet.shares}
        stay = [member for member in self.custodians if member in today]
        join = [member for member in self.custodians if member not in today]
        shape = wording.quorum(self.threshold, len(self.custodians))
        return (
            f"{shape} will sign; {self._who(stay, 'stay')}, {self._who(join, 'join')}, "
            f"{self._who(self.leaving, 'leave')}."
        )

    @property
    def problem(self) -> str:
        """Why it cannot be proposed, or ''."""
        if len(self.custodians) < 2:
            return "Choose at least 2 custodians: one alone protects nothing."
        if len(self.custodians) > MAX_CUSTODIANS:
            return f"At most {MAX_CUSTODIANS} custodians can hold one wallet."
        dealers = self.dealers
        if len(dealers) < self.wallet.threshold:
            return (
                f"Shares of {len(dealers)} current custodians can be used, but a reshare needs "
                f"{self.wallet.threshold}."
            )
        me = next((member.member for member in self.members if member.is_me), "")
        if me not in self.taking_part:
            return "You would not take part. A current custodian must propose it."
        return "This changes nothing. To renew the shares, refresh them." if self._is_same else ""

    def names(self, members: Sequence[str]) -> list[str]:
        """Return the names of members."""
        known = {share.member: share.name for share in self.wallet.shares}
        known |= {member.member: member.name for member in self.members}
        return [known.get(member, member) for member in members]

    def away(self) -> list[str]:
        """Return the participants that are unreachable now."""
        online = {member.member for member in self.members if member.able}
        return self.names([member for member in self.taking_part if member not in online])

    @property
    def _is_same(self) -> bool:
        before = (
            {share.member for share in self.wallet.shares},
            self.wallet.threshold,
            self.wallet.approvals_needed,
        )
        return before == (set(self.custodians), self.threshold, self.approvals)

    def _is_sure(self, share: ShareView) -> bool:
        return share.member in self.custodians and share.state is not ShareState.BANNED

    def _reluctance(self, share: ShareView) -> tuple[bool, bool, bool]:
        banned = share.state is ShareState.BANNED
        return (banned, share.member not in self.custodians, not share.able)

    def _who(self, members: Sequence[str], verb: str) -> str:
        if not members:
            return f"nobody {verb}s"
        return f"{wording.listed(self.names(members))} {verb}{'s' if len(members) == 1 else ''}"
