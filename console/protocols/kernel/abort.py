"""Why a protocol stopped: who is to blame, which check fired, and what the caller must do next."""

from collections.abc import Iterable
from enum import Enum


class AbortKind(Enum):
    """What an abort asks of the caller.

    RETRY: nobody is blamed; start again with a new session id and fresh randomness.
    BLAME: the culprits broke a check that the evidence lets others repeat.
    BAN: destroy the pairwise state with the culprit and never use it again.
    FREEZE: no further signature with this key until people have looked.
    """

    RETRY = "retry"
    BLAME = "blame"
    BAN = "ban"
    FREEZE = "freeze"


class ProtocolAbort(Exception):
    """A session ended without an outcome.

    `reason` is a sentence without secrets; `check` names the check that fired;
    `culprits` are party indices; `evidence` holds encoded envelopes or digests of them.
    `witnesses` are parties whose broadcasts show what a culprit told them alone.
    """

    def __init__(
        self,
        kind: AbortKind,
        reason: str,
        culprits: frozenset[int] = frozenset(),
        check: str = "",
        evidence: tuple[bytes, ...] = (),
        witnesses: frozenset[int] = frozenset(),
    ) -> None:
        parties = f" by {sorted(culprits)}" if culprits else ""
        super().__init__(f"{kind.value}{parties}: {reason}")
        self.kind = kind
        self.reason = reason
        self.culprits = culprits
        self.check = check
        self.evidence = evidence
        self.witnesses = witnesses


class MessageRejected(Exception):
    """An envelope that does not belong here was dropped; nothing has changed."""


def retry(reason: str, *, check: str = "", evidence: tuple[bytes, ...] = ()) -> ProtocolAbort:
    """Build an abort that blames nobody."""
    return ProtocolAbort(AbortKind.RETRY, reason, check=check, evidence=evidence)


def blame(
    culprits: Iterable[int],
    check: str,
    reason: str,
    evidence: tuple[bytes, ...] = (),
    witnesses: frozenset[int] = frozenset(),
) -> ProtocolAbort:
    """Build an abort that names every party which broke `check`."""
    return ProtocolAbort(AbortKind.BLAME, reason, frozenset(culprits), check, evidence, witnesses)


def ban(party: int, check: str, reason: str) -> ProtocolAbort:
    """Build an abort after a secret-dependent check with one peer failed."""
    return ProtocolAbort(AbortKind.BAN, reason, frozenset({party}), check)


def freeze(check: str, reason: str) -> ProtocolAbort:
    """Build an abort that nobody can be blamed for and that must not be retried."""
    return ProtocolAbort(AbortKind.FREEZE, reason, check=check)


class Accusations:
    """Collects the failed checks of one round, so that all culprits are named at once."""

    __slots__ = ("_failed", "_witnesses")

    def __init__(self) -> None:
        self._failed: dict[int, str] = {}
        self._witnesses: set[int] = set()

    def add(self, party: int, check: str, witness: int | None = None) -> None:
        """Record that `party` failed `check`; the first failed check of a party counts.

        `witness` is whose broadcast shows it, if not that party's own.
        """
        self._failed.setdefault(party, check)
        if witness is not None:
            self._witnesses.add(witness)

    def __contains__(self, party: int) -> bool:
        return party in self._failed

    def raise_if_any(self) -> None:
        """Abort with BLAME if anybody was accused; several checks are joined by a comma."""
        if self._failed:
            checks = ",".join(sorted(set(self._failed.values())))
            reason = "; ".join(f"party {p}: {c}" for p, c in sorted(self._failed.items()))
            raise blame(self._failed, checks, reason, witnesses=frozenset(self._witnesses))
