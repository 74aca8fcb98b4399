"""A member's set-up: keys in its vault, its files, and the removal of both."""

import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from console.client.set_up.messages import (
    Discard,
    Discarded,
    Draft,
    FinishMember,
    KeysMade,
    MakeKeys,
    MemberFinished,
    TokenChoice,
    TokenKind,
)
from console.domain.values import Network
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import (
    KMS,
    NewMember,
    discard_member,
    finish_member,
    make_keys,
    vault_of,
)
from console.set_up import cloud, drafts
from console.set_up.checks import chain_entry
from console.set_up.exchange import entry_seen
from console.set_up.naming import identifier_problem
from console.set_up.ports import free_port, ports_in_use
from console.set_up.refusing import NotDone
from console.set_up.tokens import require_token
from console.settings import (
    ChainEntry,
    MemberFiles,
    MemberSettings,
    SettingsInvalid,
    read_settings,
)
from console.unfinished import (
    UnfinishedSetUp,
    find_softhsm,
    holds_keys_elsewhere,
    is_same_vault,
)
from hsm import Standing

_SO_DIGITS = 12
_NO_FUNDS = "Nothing was written; no funds are concerned yet."
_UNKNOWN = "127.0.0.1:1"
"""Stands for addresses while keys are made; they are chosen later, and not kept from here."""


def secret_of(pin: str) -> SecretBytes:
    """Return a PIN in memory that can be wiped; the text it came in cannot."""
    return SecretBytes(bytearray(pin.encode("utf-8", "surrogateescape")))


def make(home: Path, question: MakeKeys) -> KeysMade:
    """Make the member's keys, or find them made already. Raises: what `refusing` knows."""
    draft, choice = question.draft, _choice(question.draft)
    _require_new(home, draft.member)
    files = MemberFiles(home / draft.member)
    new = _new_member(draft, choice, listen=_UNKNOWN, console=_UNKNOWN)
    journal = UnfinishedSetUp(files.directory).read()
    known = journal.vault if journal is not None and journal.identity_key else None
    if known is not None and is_same_vault(known, vault_of(new)):
        # What the set-up makes on the disk is made again, so that this PIN is the one; beside keys
        # in KMS too. Once the entry is out, other members may have it: its key stays.
        given = files.settings.exists() or files.entry.exists()
        if (holds_keys_elsewhere(known) and not cloud.is_in_kms(choice)) or given:
            return KeysMade()
    elif choice.kind is TokenKind.PKCS11:
        require_token(choice)
    fresh = choice.kind is TokenKind.SOFTHSM
    pin, so_pin = secret_of(question.pin), None
    if fresh:
        # Nobody needs it again: the token is for tests, and is made anew rather than repaired.
        digits = "".join(str(secrets.randbelow(10)) for _ in range(_SO_DIGITS))
        so_pin = secret_of(digits)
    try:
        with cloud.told_of_kms(is_kms=cloud.is_in_kms(choice)):
            make_keys(home, new, pin, so_pin, last_try=question.last_try)
    finally:
        for secret in (pin, so_pin):
            if secret is not None:
                secret.wipe()
    return KeysMade()


def finish(home: Path, question: FinishMember) -> MemberFinished:
    """Write the member's files; it can be asked again with other choices until a vault is opened.

    Raises: what `refusing` knows.
    """
    draft = question.draft
    journal = UnfinishedSetUp(MemberFiles(home / draft.member).directory).read()
    on_main = any(chain.network == Network.MAINNET for chain in draft.chains)
    if on_main and journal is not None and journal.identity_key:
        _require_fit(journal.standing, accepts=draft.accepts_unproven)
    before = _settings_before(home, draft.member)
    taken = ports_in_use(home, but=draft.member)
    if before is not None and _port(before.console_address) not in taken:
        console = before.console_address
    else:
        console = f"127.0.0.1:{free_port('127.0.0.1', taken)}"
    new = _new_member(draft, _choice(draft), listen=draft.listen.strip(), console=console)
    if before is not None:
        new = replace(new, chains=tuple(_with_tokens(each, before) for each in new.chains))
    return MemberFinished(entry=entry_seen(finish_member(home, new)))


def _settings_before(home: Path, member: str) -> MemberSettings | None:
    """Return what is written for the member already, None if nothing is that can be read."""
    with suppress(SettingsInvalid):
        return read_settings(MemberFiles(home / member))
    return None


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])


def _with_tokens(chain: ChainEntry, before: MemberSettings) -> ChainEntry:
    """Return a chain with the tokens and contracts that were set for it in a terminal."""
    for known in before.chains:
        if (known.chain, known.network) == (chain.chain, chain.network):
            return structs.replace(chain, tokens=known.tokens, trusted=known.trusted)
    return chain


def _require_fit(standing: Standing, *, accepts: bool) -> None:
    """Refuse a main network on a token that is not fit for it. Raises: NotDone."""
    if standing is Standing.FOR_TESTS:
        raise NotDone(
            "test-token",
            "This token is for tests, and a main network is chosen.",
            _NO_FUNDS,
            "Choose test networks, or another token.",
        )
    if standing is Standing.UNPROVEN and not accepts:
        raise NotDone(
            "unproven-token",
            "A main network is chosen, and it is not known that hardware protects this token's "
            "keys.",
            _NO_FUNDS,
            "Accept that in so many words, or choose test networks or another token.",
        )


def discard(home: Path, question: Discard) -> Discarded:
    """Remove all that the set-up made, then its draft. Raises: what `refusing` knows."""
    member = question.draft.member
    pin = secret_of(question.pin) if question.pin else None
    try:
        with cloud.told_of_kms(is_kms=cloud.is_in_kms(question.draft.token)):
            discard_member(home, member, pin)
    finally:
        if pin is not None:
            pin.wipe()
    drafts.forget(home, member)
    return Discarded()


def _choice(draft: Draft) -> TokenChoice:
    if draft.token is None:
        raise NotDone(
            "no-token",
            "No token is chosen yet.",
            "Nothing was changed.",
            "Choose a token first.",
        )
    return draft.token


def _require_new(home: Path, member: str) -> None:
    problem = identifier_problem(home, member)
    if problem:
        raise SettingsInvalid(problem.removesuffix("."))


def _new_member(draft: Draft, choice: TokenChoice, *, listen: str, console: str) -> NewMember:
    fresh = choice.kind is TokenKind.SOFTHSM
    holds_elsewhere = choice.kind in {TokenKind.PKCS11, TokenKind.KMS}
    match choice.kind:
        case TokenKind.PKCS11:
            module = choice.module
        case TokenKind.SOFTHSM:
            module = str(find_softhsm())
        case TokenKind.FILE:
            module = "file"
        case TokenKind.KMS:
            module = KMS
    return NewMember(
        member=draft.member,
        name=draft.name,
        peer_address=listen,
        console_address=console,
        module=module,
        token=f"quorate-{draft.member}"[:32] if fresh else choice.label,
        fresh_softhsm=fresh,
        chains=tuple(chain_entry(chain) for chain in draft.chains),
        serial=choice.serial if choice.kind is TokenKind.PKCS11 else "",
        accept_unproven=holds_elsewhere and draft.accepts_unproven,
        cloud=cloud.keys_of(choice) if choice.kind is TokenKind.KMS else None,
    )
