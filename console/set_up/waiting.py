"""Members that were begun here and have no roster yet, also those of `quorate init`, as drafts."""

from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import structs

from console.client.set_up.messages import (
    ChainChoice,
    Draft,
    Purpose,
    TokenChoice,
    TokenKind,
)
from console.domain.errors import MalformedIdentifier
from console.domain.ids import member_id
from console.provisioning import end_if_whole
from console.set_up import cloud, drafts
from console.settings import (
    MemberFiles,
    MemberSettings,
    SettingsInvalid,
    VaultSettings,
    entry_line,
    read_entries,
    read_settings,
)
from console.unfinished import JOURNAL_FILE, TRIAL_FOLDER, Journal, UnfinishedSetUp

_MOST, _MOST_LOOKED_AT = 64, 1024
_NAME, _TOKEN, _ADDRESS, _INVITATION = 1, 2, 4, 6
"""Steps of the window's set-up."""


def find(home: Path) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
    """Return what is not over, by member, and the paths of what cannot be read.

    A set-up whose member has its roster is over: what a crash left of it is ended here.
    """
    kept, damaged = drafts.find(home)
    found, unreadable = {}, list(damaged)
    for draft in kept:
        if _is_whole(home, draft.member):
            with suppress(OSError):  # On a disk that is read-only it stays, and is not shown.
                drafts.forget(home, draft.member)
        else:
            found[draft.member] = _renewed(home, draft)
    for directory in sorted(home.glob("*/"))[:_MOST_LOOKED_AT]:
        if directory.name in found or len(found) >= _MOST:
            continue
        try:
            guessed = _of_directory(home, directory)
        except PermissionError:  # Another user's.
            continue
        except (SettingsInvalid, msgspec.MsgspecError, ValueError, OSError):
            unreadable.append(str(directory))
        else:
            if guessed is not None:
                found[directory.name] = guessed
    return tuple(found[member] for member in sorted(found)), tuple(map(_shown, unreadable))


def _of_directory(home: Path, directory: Path) -> Draft | None:
    """Return what is not over in a directory and has no draft. Raises: what reading it raises."""
    if not _is_begun(directory) or drafts.is_kept(home, directory.name):
        return None
    return None if end_if_whole(home, directory.name) else _draft_of(MemberFiles(directory))


def _shown(path: str) -> str:
    """Return a path as it can be written in an answer: names of files may be no text."""
    return path.encode(errors="replace").decode()[:2048]


def _is_begun(directory: Path) -> bool:
    """Return whether a member of this machine is in a directory, whole or not."""
    try:
        member_id(directory.name)
    except MalformedIdentifier:
        return False
    if directory.name == TRIAL_FOLDER or directory.is_symlink():
        return False
    files = MemberFiles(directory)
    return (directory / JOURNAL_FILE).is_file() or files.settings.is_file()


def _is_whole(home: Path, member: str) -> bool:
    # A folder that cannot be looked into, on a disk that is away for one, takes no draft with it.
    with suppress(OSError):
        return end_if_whole(home, member)
    return False


def _draft_of(files: MemberFiles) -> Draft:
    """Return a set-up as the window goes on with it. Raises: SettingsInvalid, MsgspecError."""
    journal = UnfinishedSetUp(files.directory).read()
    if files.settings.exists():
        made = _of_settings(read_settings(files), files)
    else:
        made = _of_journal(files.directory.name, journal)
    # Whoever reads the answer refuses all of it for one text that is too long.
    return msgspec.json.decode(msgspec.json.encode(made), type=Draft)


def _of_settings(settings: MemberSettings, files: MemberFiles) -> Draft:
    (entry,) = read_entries(files.entry) or (None,)
    return Draft(
        member=settings.member,
        name=settings.name,
        purpose=Purpose.CREATE,
        step=_INVITATION,
        token=_token(settings.vault),
        token_unproven=settings.vault.kind == "kms",
        keys_made=True,
        listen=settings.peer_address,
        chains=tuple(
            ChainChoice(
                chain=chain.chain,
                network=chain.network,
                urls=(chain.url, *chain.more_urls),
                websocket=chain.websocket,
            )
            for chain in settings.chains
        ),
        accepts_unproven=settings.vault.accept_unproven,
        entry="" if entry is None else entry_line(entry),
    )


def _of_journal(member: str, journal: Journal | None) -> Draft:
    vault = None if journal is None else journal.vault
    made = journal is not None and bool(journal.identity_key)
    step = _ADDRESS if made else _TOKEN if vault is None else _NAME
    return Draft(
        member=member,
        name=member,
        purpose=Purpose.CREATE,
        step=step,
        token=None if vault is None else _token(vault),
        token_unproven=vault is not None and vault.kind == "kms",
        keys_made=made,
    )


def _renewed(home: Path, draft: Draft) -> Draft:
    """Return a draft; keys in KMS once stood in it as a token without a library."""
    token = draft.token
    if token is None or token.kind is not TokenKind.PKCS11 or token.module:
        return draft
    with suppress(SettingsInvalid, OSError):
        journal = UnfinishedSetUp(home / draft.member).read()
        if journal is not None and journal.vault is not None and journal.vault.kind == "kms":
            return structs.replace(draft, token=_token(journal.vault), token_unproven=True)
    return draft


def _token(vault: VaultSettings) -> TokenChoice:
    if vault.kind == "file":
        return TokenChoice(kind=TokenKind.FILE)
    if vault.softhsm_conf:
        return TokenChoice(kind=TokenKind.SOFTHSM)
    if vault.kind == "kms":
        return cloud.choice_of(vault)
    return TokenChoice(
        kind=TokenKind.PKCS11, module=vault.module, label=vault.token, serial=vault.serial
    )
