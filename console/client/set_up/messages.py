"""Questions to the set-up process and its answers, one line of JSON each.

A question gets any number of `Progress`, then its one answer or `Refused`. `WatchTokens` gets one
`TokensSeen` after the other until it is closed. PINs travel in questions only, over the process's
standard input, and never on a command line.
"""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec

MAX_LINE_BYTES = 1024 * 1024
MAX_MODULES, MAX_TOKENS, MAX_CHAINS, MAX_ENTRIES = 16, 64, 8, 64

Short = Annotated[str, msgspec.Meta(max_length=128)]
Text = Annotated[str, msgspec.Meta(max_length=2048)]
Line = Annotated[str, msgspec.Meta(max_length=16_384)]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """A line of either direction."""


class Question(Message, frozen=True, kw_only=True):
    """A line to the process. `ANSWER` is the kind of its answer."""

    ANSWER: ClassVar[type["Answer"]]

    def __repr__(self) -> str:
        """Show the kind only: a question may hold a PIN."""
        return f"<{type(self).__name__}>"


class Answer(Message, frozen=True, kw_only=True):
    """A line from the process."""


class Progress(Answer, frozen=True, kw_only=True):
    """Where long work is: step `done` of `total`, and what is done now."""

    done: int
    total: int
    text: Text


class Refused(Answer, frozen=True, kw_only=True):
    """What was asked is not done: what happened, what is safe, what to do next."""

    code: Short
    what: Text
    safe: Text
    next_step: Text


# ---------------------------------------------------------------- tokens


class TokenKind(StrEnum):
    """What holds a member's keys. `SOFTHSM` is made by the set-up, for tests only."""

    PKCS11 = "pkcs11"
    SOFTHSM = "softhsm"
    FILE = "file"
    KMS = "kms"


class TokenChoice(Message, frozen=True, kw_only=True):
    """`module`, `label` and `serial` are of PKCS#11 tokens; the rest is of AWS KMS, keys by ARN."""

    kind: TokenKind
    module: Text = ""
    label: Short = ""
    serial: Short = ""
    region: Short = ""
    sealing_key: Short = ""
    identity_key: Short = ""
    profile: Short = ""
    endpoint_url: Text = ""


class TokenSeen(Message, frozen=True, kw_only=True):
    """A token in a slot. `missing` names what it lacks by its list; nothing was tried."""

    module: Text
    slot: int
    label: Short
    maker: Short
    model: Short
    serial: Short
    pin: Text
    """What the token tells about its PIN tries, in words."""
    missing: tuple[Text, ...]
    for_tests_only: bool
    in_use: bool
    """Whether it holds a member's keys already."""
    unproven: bool = False
    """Whether it is not known that hardware protects its keys."""


class ModuleSeen(Message, frozen=True, kw_only=True):
    """A PKCS#11 library: its tokens, or why it tells none."""

    module: Text
    maker: Short
    tokens: tuple[TokenSeen, ...]
    problem: Text = ""


class TokensSeen(Answer, frozen=True, kw_only=True):
    """All libraries that were found or named, and their tokens."""

    modules: tuple[ModuleSeen, ...]
    softhsm: bool
    """Whether a SoftHSM token could be made here."""
    no_kms: Text = ""
    """Why no keys in AWS KMS can be used here, or ''."""


class WatchTokens(Question, frozen=True, kw_only=True):
    """Tell the tokens now and at each change. `modules` are libraries named by the operator."""

    ANSWER = TokensSeen
    modules: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MAX_MODULES)] = ()


class CapabilityRow(Message, frozen=True, kw_only=True):
    """One need: what was found, what will be used. `fits` is None if it is not known."""

    name: Short
    need: Text
    found: Text
    used: Text
    fits: bool | None


class TokenChecked(Answer, frozen=True, kw_only=True):
    """What a token has of what a member needs."""

    token: Text
    rows: tuple[CapabilityRow, ...]


class CheckToken(Question, frozen=True, kw_only=True):
    """Check a token; with a PIN, what no list tells is tried. Leaves nothing on it.

    `member` is whose set-up asks: keys that it left there when it died are no hindrance.
    """

    ANSWER = TokenChecked
    token: TokenChoice
    pin: Short | None = None
    member: Short = ""


# ---------------------------------------------------------------- the member


class Purpose(StrEnum):
    """Why the member is set up."""

    CREATE = "create"
    JOIN = "join"


class ChainChoice(Message, frozen=True, kw_only=True):
    """A chain's network and the URLs of its nodes, which must agree."""

    chain: Short
    network: Short
    urls: Annotated[tuple[Text, ...], msgspec.Meta(min_length=1, max_length=8)]
    websocket: Text = ""


class Draft(Message, frozen=True, kw_only=True):
    """A set-up that is not over: the operator's choices so far; it holds no secret.

    `step` is the page to go on with, from 1. `keys_made` says that the vault holds the member's
    keys. `lines` are the other members' entries that were read.
    """

    member: Short
    name: Short
    purpose: Purpose
    step: int = 1
    token: TokenChoice | None = None
    token_for_tests: bool = False
    token_unproven: bool = False
    """What the chosen token was told to be."""
    keys_made: bool = False
    listen: Text = ""
    chains: Annotated[tuple[ChainChoice, ...], msgspec.Meta(max_length=MAX_CHAINS)] = ()
    accepts_unproven: bool = False
    """Whether a main network may be used although no hardware is known to protect the keys."""
    entry: Line = ""
    """This machine's entry, once it is made."""
    lines: Annotated[tuple[Line, ...], msgspec.Meta(max_length=MAX_ENTRIES)] = ()


class DraftKept(Answer, frozen=True, kw_only=True):
    """The draft is on disk."""


class KeepDraft(Question, frozen=True, kw_only=True):
    """Keep a draft; the same member's earlier one is replaced."""

    ANSWER = DraftKept
    draft: Draft


class Here(Answer, frozen=True, kw_only=True):
    """What there is on this machine."""

    drafts: tuple[Draft, ...]
    trial: bool
    """Whether a demonstration vault is kept."""
    trial_possible: Text = ""
    """'' if a demonstration vault can be made here, else the reason why not."""
    damaged: tuple[Text, ...] = ()
    """Drafts that cannot be read, by file; they are left where they are."""


class LookHere(Question, frozen=True, kw_only=True):
    """Tell what there is on this machine."""

    ANSWER = Here


class NameJudged(Answer, frozen=True, kw_only=True):
    """The identifier for a name, and what is wrong with either ('' if nothing)."""

    member: Short
    problem: Text


class JudgeName(Question, frozen=True, kw_only=True):
    """Judge an operator's name; `member` is the wanted identifier, or '' to be given one."""

    ANSWER = NameJudged
    name: Short
    member: Short = ""


class KeysMade(Answer, frozen=True, kw_only=True):
    """The member's keys are in its vault."""


class MakeKeys(Question, frozen=True, kw_only=True):
    """Make the member's keys. Resumes what a crash left. `last_try` permits a PIN's last try."""

    ANSWER = KeysMade
    draft: Draft
    pin: Short
    last_try: bool = False


class AddressTested(Answer, frozen=True, kw_only=True):
    """Whether this machine can listen there, and what was seen, in words."""

    works: bool
    found: Text
    suggestion: Text = ""


class TestAddress(Question, frozen=True, kw_only=True):
    """Listen at an address for a moment and connect to it; '' only asks for a suggestion."""

    __test__ = False  # No test class, whatever pytest thinks of the name.
    ANSWER = AddressTested
    listen: Text


class ChainPreset(Message, frozen=True, kw_only=True):
    """A chain's network that can be chosen. `urls` are suggestions; most nodes have none."""

    chain: Short
    chain_name: Short
    network: Short
    network_name: Short
    urls: tuple[Text, ...]
    hint: Text
    is_main: bool
    websocket: bool = False
    """Whether a node's websocket is followed, where the operator names one."""


class Presets(Answer, frozen=True, kw_only=True):
    """All networks that this version knows."""

    presets: tuple[ChainPreset, ...]


class GetPresets(Question, frozen=True, kw_only=True):
    """Tell the networks that can be chosen."""

    ANSWER = Presets


class ChainTested(Answer, frozen=True, kw_only=True):
    """What the chain's nodes said: their network and height, or what is wrong."""

    works: bool
    found: Text


class TestChain(Question, frozen=True, kw_only=True):
    """Ask the nodes for their network and newest block."""

    __test__ = False
    ANSWER = ChainTested
    chain: ChainChoice


class EntrySeen(Message, frozen=True, kw_only=True):
    """A member's entry, read and judged. `code` is six words and a group of four."""

    member: Short
    name: Short
    address: Short
    code: Short
    line: Line


class MemberFinished(Answer, frozen=True, kw_only=True):
    """The member's files are written: its entry is for the other members."""

    entry: EntrySeen


class FinishMember(Question, frozen=True, kw_only=True):
    """Write the member's settings, certificates and entry. Its keys are made."""

    ANSWER = MemberFinished
    draft: Draft


class EntriesRead(Answer, frozen=True, kw_only=True):
    """The entries of an invitation."""

    entries: tuple[EntrySeen, ...]


class ReadEntries(Question, frozen=True, kw_only=True):
    """Read entries: one JSON line each, from a file's text, a QR code's, or typed."""

    ANSWER = EntriesRead
    text: Annotated[str, msgspec.Meta(max_length=512 * 1024)]


class VaultReady(Answer, frozen=True, kw_only=True):
    """The member's roster is written; its node can start."""

    member: Short


class OpenVault(Question, frozen=True, kw_only=True):
    """Write the roster (`CREATE`: `lines` and this entry are all founders; `JOIN`: `lines` are)."""

    ANSWER = VaultReady
    draft: Draft


class Discarded(Answer, frozen=True, kw_only=True):
    """Nothing of the set-up is left."""


class Discard(Question, frozen=True, kw_only=True):
    """Remove what a set-up made, in the token too; one of PKCS#11 needs its PIN for that."""

    ANSWER = Discarded
    draft: Draft
    pin: Short | None = None


# ---------------------------------------------------------------- a demonstration vault


class TrialReady(Answer, frozen=True, kw_only=True):
    """The demonstration vault's home, with three members whose nodes answer."""

    home: Text
    member: Short
    pin: Short
    """The first member's PIN: a demonstration's, shown so that it can be typed."""


class MakeTrial(Question, frozen=True, kw_only=True):
    """Make the demonstration vault, or start the one that is kept."""

    ANSWER = TrialReady


class DiscardTrial(Question, frozen=True, kw_only=True):
    """Stop the demonstration vault and remove it."""

    ANSWER = Discarded
