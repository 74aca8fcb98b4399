"""Commands of an operator to a node. A refusal comes back as a sentence."""

from typing import Annotated

import msgspec

from console.domain.addresses import proper_address
from console.domain.errors import MalformedIdentifier
from console.protocols.kernel.secret import SecretBytes as Pin

__all__ = [
    "MAX_SECRET_CHARS",
    "AcceptCeremony",
    "ApproveMachine",
    "ApproveRequest",
    "CancelCeremony",
    "ChangeAddress",
    "ChangeLinkKey",
    "Command",
    "ConfirmCeremonyCode",
    "DeclineCeremony",
    "DenyRequest",
    "ExportLedger",
    "FinishLinkKey",
    "FundFromFaucet",
    "Lock",
    "Outcome",
    "Pin",
    "ProposeCeremony",
    "ProposeMachine",
    "ProposeRefresh",
    "ProposeRepair",
    "ProposeReshare",
    "ProposeTransfer",
    "RetrySigning",
    "RunDrill",
    "SetPeerAddress",
    "Unlock",
    "VerifyLedger",
    "WithdrawRequest",
    "address_problem",
    "secret_problem",
]


MAX_SECRET_CHARS = 128
"""Characters of a PIN or passphrase: the same limit where it is set, typed and sent."""
_CONTINUES, _LEADS = 0x80, 0xC0
"""The upper two bits of a byte inside a UTF-8 character, and their mask."""


def secret_problem(secret: bytes | bytearray | memoryview) -> str:
    """Return why a PIN or passphrase (UTF-8) is not taken, or ''. Quotes nothing of it."""
    characters = sum(byte & _LEADS != _CONTINUES for byte in secret)
    if not characters:
        return "nothing was entered"
    if characters > MAX_SECRET_CHARS or len(secret) > 4 * MAX_SECRET_CHARS:
        return f"it has {characters} characters; at most {MAX_SECRET_CHARS} are possible"
    return ""


def address_problem(text: str) -> str:
    """Return why a machine's address is not taken, as a sentence, or ''."""
    try:
        proper_address(text.strip(), "This")
    except MalformedIdentifier as wrong:
        return f"{wrong}."
    return ""


class Command(msgspec.Struct, frozen=True, tag_field="do", forbid_unknown_fields=True):
    """A command. Fields with times are seconds from now, never wall-clock times."""


class Unlock(Command, frozen=True, tag="unlock"):
    """Log in to the vault, open and verify the ledger, join the peers.

    With `clock_is_right`, the operator says that the ledger's later records are dated by a clock
    that was ahead.
    """

    pin: Pin
    clock_is_right: bool = False


class Lock(Command, frozen=True, tag="lock"):
    """Close the vault and the ledger. A protocol session in progress fails."""


class ProposeCeremony(Command, frozen=True, kw_only=True, tag="propose-ceremony"):
    """Propose a key generation. The outcome's `subject` is the ceremony id."""

    wallet_name: str
    kinds: tuple[str, ...]
    threshold: int
    custodians: tuple[str, ...]
    approvals_needed: int
    expires_in_s: int = 86_400


class ProposeRefresh(Command, frozen=True, tag="propose-refresh"):
    """Propose new shares for the same custodians. The outcome's `subject` is the ceremony id."""

    wallet: str
    expires_in_s: int = 86_400


class ProposeRepair(Command, frozen=True, tag="propose-repair"):
    """Propose to restore the share of `member`, whose machine was replaced, and to refresh."""

    wallet: str
    member: str
    expires_in_s: int = 86_400


class ProposeReshare(Command, frozen=True, kw_only=True, tag="propose-reshare"):
    """Propose shares for other custodians. Members that leave the quorum erase theirs.

    `dealers` are current custodians, at least the threshold, that deal the new shares; () means
    all of them.
    """

    wallet: str
    threshold: int
    custodians: tuple[str, ...]
    approvals_needed: int
    dealers: tuple[str, ...] = ()
    expires_in_s: int = 86_400


class RunDrill(Command, frozen=True, tag="run-drill"):
    """Prove that the custodians can still sign, with a message that is no transaction."""

    wallet: str


class ProposeMachine(Command, frozen=True, tag="propose-machine"):
    """Endorse a new machine of a member, or for a new member, as the first to do so.

    `entry` is the line that `quorate init` printed there. The operator has compared its code with
    that machine's owner, and enters the PIN.
    """

    entry: str
    pin: Pin


class ApproveMachine(Command, frozen=True, tag="approve-machine"):
    """Endorse a machine that another member has proposed. `digest` is the one on the screen."""

    member: str
    digest: str
    pin: Pin


class SignDecision(Command, frozen=True, kw_only=True, tag="sign-decision"):
    """Sign a decision about the roster: `retires` leave, `electors` decide and admit next.

    `digest` is the one on the screen, whose code the operator has compared with the others.
    """

    retires: tuple[str, ...]
    electors: tuple[str, ...]
    digest: str
    pin: Pin


class ChangeAddress(Command, frozen=True, tag="change-address"):
    """Sign that the others reach this member's machine at `address` from now on.

    Where the node itself listens is in its settings file, and stays as it is.
    """

    address: str


class SetPeerAddress(Command, frozen=True, tag="set-peer-address"):
    """Reach a peer at `address` from this node alone, until the peer signs another one.

    "" takes it back.
    """

    member: str
    address: str


class ChangeLinkKey(Command, frozen=True, tag="change-link-key"):
    """Generate a new TLS key, and go over to it once all members have it."""


class FinishLinkKey(Command, frozen=True, tag="finish-link-key"):
    """Go over to the new TLS key now, although not all members have said that they have it."""


class AcceptCeremony(Command, frozen=True, tag="accept-ceremony"):
    ceremony: str


class DeclineCeremony(Command, frozen=True, tag="decline-ceremony"):
    ceremony: str
    reason: str


class ConfirmCeremonyCode(Command, frozen=True, tag="confirm-ceremony-code"):
    """The operator compared the code with the other custodians and it is the same."""

    ceremony: str
    code: str


class CancelCeremony(Command, frozen=True, tag="cancel-ceremony"):
    """Stop a ceremony that has not completed; nothing of it can be used."""

    ceremony: str
    reason: str


class ProposeTransfer(Command, frozen=True, kw_only=True, tag="propose-transfer"):
    """Freeze a transfer and request approvals. The outcome's `subject` is the request id.

    `transaction` is the bytes of the preview, so that what was shown is what is proposed.
    """

    wallet: str
    chain: str
    transaction: bytes
    note: str = ""
    expires_in_s: int = 7_200
    account: str = ""
    """The account's path; "" for the chain's first."""


class ApproveRequest(Command, frozen=True, tag="approve-request"):
    """Sign the intent with the member's identity key. `digest` is the one the operator saw."""

    request: str
    digest: str
    pin: Pin


class DenyRequest(Command, frozen=True, tag="deny-request"):
    request: str
    reason: str


class WithdrawRequest(Command, frozen=True, tag="withdraw-request"):
    """Withdraw one's own request before it is signed."""

    request: str


class RetrySigning(Command, frozen=True, tag="retry-signing"):
    """Start a fresh attempt from this node after the automatic ones have failed."""

    request: str


class FundFromFaucet(Command, frozen=True, kw_only=True, tag="fund-from-faucet"):
    """Request `base_units` from a devnet's faucet; refused on any other network."""

    wallet: str
    chain: str
    base_units: int
    account: str = ""
    asset: str = ""
    """A listed token's address; "" for the chain's own coin."""


class VerifyLedger(Command, frozen=True, tag="verify-ledger"):
    """Verify the ledger's chain; progress arrives as changes."""


Sequence = Annotated[int, msgspec.Meta(ge=1, lt=1 << 62)]
"""A record's number in the ledger."""


class ExportLedger(Command, frozen=True, tag="export-ledger"):
    """Export the ledger as lines of JSON that anyone can verify; `subject` is the file's path.

    With `records`, only these, each with the proof that the ledger has it. The file is in the
    node's own directory. It holds no secret, but all of what these events say.
    """

    records: Annotated[tuple[Sequence, ...], msgspec.Meta(max_length=1000)] = ()


class Outcome(msgspec.Struct, frozen=True):
    """A command was executed; `subject` names what it created or changed."""

    subject: str = ""
    message: str = ""
