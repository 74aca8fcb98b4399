"""Which changes of shares are possible: who deals, who receives, and what does not change."""

from typing import assert_never

from console.domain.errors import Conflict, NotYetPossible, UnknownMember
from console.domain.events import KeyChangeProposed
from console.domain.values import MAX_CUSTODIANS, CeremonyPurpose


def require_possible(proposal: KeyChangeProposed) -> None:
    """Check a proposal by itself. Raises: Conflict, NotYetPossible, UnknownMember."""
    before, after = set(proposal.previous.custodians), set(proposal.quorum.custodians)
    dealers = set(proposal.dealers)
    match proposal.purpose:
        case CeremonyPurpose.GENERATE:
            raise Conflict("a key generation changes no shares")
        case CeremonyPurpose.REFRESH | CeremonyPurpose.REPAIR:
            if proposal.quorum != proposal.previous or dealers:
                raise Conflict("a refresh or a repair changes no custodian")
            repairs = proposal.purpose is CeremonyPurpose.REPAIR
            if repairs != (proposal.repaired in before):
                raise Conflict("only a repair names the custodian that lost its share")
            if repairs and len(before) <= proposal.quorum.threshold:
                raise NotYetPossible(
                    "without the lost share there are fewer custodians than the threshold"
                )
        case CeremonyPurpose.RESHARE:
            if proposal.repaired or not dealers <= before:
                raise Conflict("only current custodians deal in a reshare")
            if len(after | dealers) > MAX_CUSTODIANS:
                raise Conflict(
                    f"{len(after | dealers)} members would take part, and at most {MAX_CUSTODIANS} "
                    f"can: choose fewer dealers; {proposal.previous.threshold} are enough"
                )
            if len(dealers) < proposal.previous.threshold:
                raise NotYetPossible("there are fewer dealers than the threshold")
            expected = proposal.previous.resharing(
                proposal.quorum.threshold, proposal.quorum.custodians
            )
            if proposal.quorum != expected:
                raise Conflict("the share indices are not those that follow from before")
        case _:
            assert_never(proposal.purpose)
    if proposal.proposer not in after | dealers:
        raise UnknownMember(f"{proposal.proposer} would not take part in its own ceremony")
    if proposal.epoch <= proposal.from_epoch:
        raise Conflict("a change of shares begins a later epoch")
