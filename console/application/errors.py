"""Errors of adapters: what goes wrong outside, translated once at the adapter's edge."""


class AdapterError(Exception):
    """Something outside the node failed."""


class HsmError(AdapterError):
    """The token did not do what was asked; whether the key is intact is not known."""


class TokenMissing(HsmError):
    """No token with this label is there. Never a reason to make new keys."""


class WrongPin(HsmError):
    """The token refused the PIN."""


class PinLocked(HsmError):
    """The token, or our own back-off, refuses further tries for now.

    `retry_after_s` is None when only the security officer can unlock it.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class LastTryLeft(PinLocked):
    """The next try may be the token's last; it is made only if the operator says so.

    `seen` says what is known of the tries, `hint` how it is said on the command line.
    """

    def __init__(self, seen: str, hint: str = "") -> None:
        super().__init__(f"{seen}. {hint}" if hint else seen)
        self.seen = seen


class VaultLocked(HsmError):
    """The call needs an unlocked vault."""


class KeyCheckFailed(HsmError):
    """A key in the token is not the one this member was set up with. Stop and call."""


class VaultUnfit(HsmError):
    """This vault is for tests; it may not hold keys of a main network."""


class ShareUnavailable(HsmError):
    """No share is stored under this label."""


class ShareUnreadable(ShareUnavailable):
    """A share is stored under this label, and the disk does not let it be read."""


class SealBroken(HsmError):
    """A sealed record does not open: altered, or sealed for something else."""


class LedgerError(AdapterError):
    """The ledger refused or failed."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be written now: locked by another process, disk full, or an I/O error."""


class LedgerClockBehind(LedgerUnavailable):
    """The clock is far behind the newest record: one of the two times is wrong."""


class LedgerCorrupted(LedgerError):
    """The hash chain does not hold, or the file is not this member's ledger."""


class LedgerNewer(LedgerError):
    """A later version of this program wrote the ledger; this one cannot read all of it."""


class LedgerRolledBack(LedgerError):
    """The ledger is older than the head kept outside it."""


class ConcurrencyConflict(LedgerError):
    """The stream has moved on since it was read; read again and decide again."""


class PeerUnavailable(AdapterError):
    """A peer does not answer. Never a reason for blame."""


class PeerRefused(AdapterError):
    """A peer refused; its reason is kept."""


class ChainUnavailable(AdapterError):
    """The chain's node does not answer, or answers nonsense."""

    retryable = True


class SourcesDisagree(ChainUnavailable):
    """Two nodes of the chain tell different facts; nothing is decided on either."""


class OptionNotKnown(AdapterError):
    """An option is set for a chain that has none of this `name`."""

    def __init__(self, message: str, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class TransactionError(AdapterError):
    """The chain refuses the transaction."""


class TransactionImpossible(TransactionError):
    """What the transaction needs is used up: it can never be executed."""


class InsufficientFunds(TransactionError):
    """The account cannot pay the amount and the fee."""


class BlockhashExpired(TransactionImpossible):
    """The transaction is too old for the chain; it must be built and approved again."""


class NonceConflict(TransactionImpossible):
    """Another transaction of the account took its place; it must be built and approved again."""


class CoinSpent(TransactionImpossible):
    """A coin that it spends is gone already; it must be built and approved again."""


class FeeTooLow(TransactionError):
    """The fee is below what the chain's nodes take now."""


class TransactionRejected(TransactionError):
    """The chain's node refused it and said why."""


class InvalidAddress(TransactionError):
    """The text is not an address of this chain and network."""


class UnknownTransaction(TransactionError):
    """The bytes are not a transaction that this adapter can describe."""
