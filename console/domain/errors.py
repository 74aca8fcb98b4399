"""Refusals of the domain, in sentences that an operator can act on. They are not retried."""


class DomainError(Exception):
    """A refusal that repeating cannot change; its text is shown to the operator as it is."""


class MalformedIdentifier(DomainError):
    """A name or id does not have the form that the ledger keeps."""


class InvalidQuorum(DomainError):
    """The threshold cannot be reached, or protects nothing."""


class UnknownMember(DomainError):
    """The member is not in the roster, or is not a custodian here."""


class AlreadyDecided(DomainError):
    """This member has already decided, and a decision is not changed."""


class NotYetPossible(DomainError):
    """The step is valid, but an earlier one is missing."""


class Expired(DomainError):
    """The time to decide is over."""


class PolicyViolation(DomainError):
    """The wallet's policy forbids it."""


class InvalidAmount(DomainError):
    """An amount is not a non-negative integer of the chain's smallest unit."""


class Conflict(DomainError):
    """The statement contradicts one that this member has already recorded."""
