"""Policy: the rules that each member evaluates for itself on the decoded transaction."""

from dataclasses import dataclass

from console.domain.errors import InvalidQuorum, PolicyViolation
from console.domain.ids import MemberId
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Quorum


@dataclass(frozen=True, slots=True)
class Policy:
    """A wallet's rules. What no rule allows is refused.

    Raises: InvalidQuorum when the approvals can never be reached.
    """

    version: int
    quorum: Quorum
    approvals_needed: int
    initiator_may_approve: bool = False

    def __post_init__(self) -> None:
        """Refuse a policy that locks the funds or lets one person move them."""
        eligible = len(self.quorum.custodians) - (0 if self.initiator_may_approve else 1)
        if not 1 <= self.approvals_needed <= eligible:
            raise InvalidQuorum(
                f"{self.approvals_needed} approvals cannot be reached: {eligible} custodians may "
                "approve a request that one of them made"
            )
        if self.initiator_may_approve and self.approvals_needed < 2:
            raise InvalidQuorum("one person alone could move the funds")


@dataclass(frozen=True, slots=True)
class RuleResult:
    """The outcome of one rule for one transaction."""

    rule: str
    passed: bool
    explanation: str


def evaluate(
    description: TransactionDescription, *, own_address: str, fee_ceiling: int
) -> tuple[RuleResult, ...]:
    """Return every rule's result for a decoded transaction; all must pass before it is signed."""
    fee = description.fee
    return (
        RuleResult(
            "Own account",
            description.from_address == own_address,
            "Pays from this wallet's own account"
            if description.from_address == own_address
            else "Pays from an account that is not this wallet's",
        ),
        RuleResult(
            "Fee limit",
            fee.base_units <= fee_ceiling,
            f"Fee {fee.text()} {fee.unit}, limit "
            f"{Amount(fee_ceiling, fee.unit, fee.decimals).text()} {fee.unit}",
        ),
        RuleResult(
            "Fully decoded",
            not description.red_flags,
            "Every instruction is understood"
            if not description.red_flags
            else "; ".join(description.red_flags),
        ),
    )


def enforce(results: tuple[RuleResult, ...]) -> None:
    """Check that every rule passed. Raises: PolicyViolation naming every rule that failed."""
    failed = [result for result in results if not result.passed]
    if failed:
        raise PolicyViolation("; ".join(f"{r.rule}: {r.explanation}" for r in failed))


def may_approve(policy: Policy, member: MemberId, proposer: MemberId) -> str:
    """Return "" if the member may approve, else the reason for people."""
    if member not in policy.quorum.custodians:
        return "Only custodians of this wallet approve its requests"
    if member == proposer and not policy.initiator_may_approve:
        return "You made this request; another custodian must approve it"
    return ""
