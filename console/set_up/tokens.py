"""Tokens: a live list of what is in the slots, and the check of one token.

Each library is loaded in a process of its own: one that stalls, crashes or prints does not touch
the others. Its process looks again every 2 s, and is replaced when it stays silent.
"""

import multiprocessing
import os
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import NoReturn

import msgspec

from console.application.errors import HsmError, TokenMissing
from console.client.set_up.messages import (
    CapabilityRow,
    CheckToken,
    ModuleSeen,
    TokenChecked,
    TokenChoice,
    TokenKind,
    TokenSeen,
    TokensSeen,
    WatchTokens,
)
from console.domain.ids import member_id
from console.hardening import die_with_parent
from console.protocols.kernel.secret import SecretBytes
from console.provisioning import check, check_softhsm
from console.set_up import cloud
from console.set_up.modules import find_modules
from console.settings import SettingsInvalid
from console.unfinished import UnfinishedSetUp, find_softhsm, holds_keys_elsewhere
from hsm import Capabilities, ListedToken, Standing, list_tokens
from hsm.capabilities import ROOM, Capability

POLL_S = 2.0
SILENT_S = 15.0
"""Silence after which a library counts as stalled; slow readers take seconds for each slot."""
RETRY_S = 30.0
SETTLE_S = 3.0
"""Wait for the slower libraries before the first list."""
_MAX_ANSWER = 512 * 1024
_TEXT = 2048
_BEGUN = "keys that this set-up left there when it was interrupted: they are used, or removed"
_FILES = "Encrypted files on this machine"


class WatchedModule:
    """One library and the process that looks into it."""

    def __init__(self, module: Path, now_s: float, silent_s: float) -> None:
        self.module = module
        self.seen: ModuleSeen | None = None
        self._silent_s = silent_s
        self._pipe: Connection | None = None
        self._process: multiprocessing.process.BaseProcess | None = None
        self._start(now_s)

    @property
    def pipe(self) -> Connection | None:
        return self._pipe

    def receive(self, now_s: float) -> None:
        """Take what the process says."""
        if self._pipe is None:
            return
        try:
            said = self._pipe.recv_bytes(_MAX_ANSWER)
            self.seen = msgspec.json.decode(said, type=ModuleSeen)
            self._heard_s = now_s
        except (OSError, EOFError, msgspec.MsgspecError):
            self._fail("the library ended its process", now_s)

    def judge(self, now_s: float) -> None:
        """End a process that stays silent; begin again some time after an end."""
        if self._pipe is None:
            if now_s - self._heard_s >= RETRY_S:
                self._start(now_s)
        elif now_s - self._heard_s >= self._silent_s:
            self._fail(f"the library did not answer for {self._silent_s:.0f} s", now_s)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None

    def _start(self, now_s: float) -> None:
        # Forked, not started anew: no library is loaded here yet, and starting takes a second.
        context = multiprocessing.get_context("fork")
        mine, its = context.Pipe(duplex=False)
        self._process = context.Process(
            target=look_again, args=(str(self.module), its, os.getpid()), daemon=True
        )
        self._process.start()
        its.close()
        self._pipe, self._heard_s = mine, now_s

    def _fail(self, problem: str, now_s: float) -> None:
        self.stop()
        self._heard_s = now_s
        self.seen = _silent(self.module, problem)


def watch(question: WatchTokens, tell: Callable[[TokensSeen], None]) -> NoReturn:
    """Tell the tokens now and at each change, until the process ends."""
    started_s = time.monotonic()
    watched: dict[Path, WatchedModule] = {}
    shown: TokensSeen | None = None
    try:
        while True:
            now_s = time.monotonic()
            for module in find_modules(question.modules):
                if module not in watched:
                    watched[module] = WatchedModule(module, now_s, SILENT_S)
            _listen(watched, POLL_S / 4)
            settled = time.monotonic() - started_s >= SETTLE_S
            seen = _seen(watched)
            if (settled or all(w.seen for w in watched.values())) and seen != shown:
                tell(seen)
                shown = seen
    finally:
        for each in watched.values():
            each.stop()


def check_token(home: Path, question: CheckToken) -> TokenChecked:
    """Return what a token has of what a member needs. Raises: HsmError, SettingsInvalid."""
    choice = question.token
    if choice.kind is TokenKind.FILE:
        return _files_checked()
    if choice.kind is TokenKind.SOFTHSM:
        return _checked(check_softhsm())
    if choice.kind is TokenKind.KMS:
        return _checked(cloud.check(home, question))
    require_token(choice)
    pin = SecretBytes(bytearray(question.pin.encode())) if question.pin else None
    table = check(home, choice.module, choice.label, pin, choice.serial)
    return _checked(table, begun=bool(question.member) and _begun_with(home, question))


def require_token(choice: TokenChoice) -> None:
    """Check that the chosen token is the one in the slot. Raises: TokenMissing, HsmError."""
    if not choice.module or not choice.label:
        raise TokenMissing("no token is chosen")
    found = list_tokens(Path(choice.module), label=choice.label).tokens
    if not found:
        raise TokenMissing(f"no token is labelled {choice.label!r}")
    if choice.serial and all(token.serial != choice.serial for token in found):
        raise TokenMissing(
            f"the token labelled {choice.label!r} has another serial number than the chosen one"
        )


def _begun_with(home: Path, question: CheckToken) -> bool:
    """Return whether the member's set-up has begun to make keys in this very token."""
    journal = UnfinishedSetUp(home / member_id(question.member)).read()
    vault = journal.vault if journal is not None else None
    choice = question.token
    return (
        vault is not None
        and holds_keys_elsewhere(vault)
        and (vault.module, vault.token, vault.serial)
        == (choice.module, choice.label, choice.serial)
    )


def softhsm_is_here() -> bool:
    """Return whether a SoftHSM token could be made here."""
    with suppress(SettingsInvalid):
        return find_softhsm().exists()
    return False


def _listen(watched: dict[Path, WatchedModule], timeout_s: float) -> None:
    pipes = {each.pipe: each for each in watched.values() if each.pipe is not None}
    if pipes:
        for ready in wait(list(pipes), timeout_s):
            if isinstance(ready, Connection):
                pipes[ready].receive(time.monotonic())
    else:
        time.sleep(timeout_s)
    for each in watched.values():
        each.judge(time.monotonic())


def _seen(watched: dict[Path, WatchedModule]) -> TokensSeen:
    waiting = "the library has not answered yet"
    return TokensSeen(
        modules=tuple(each.seen or _silent(each.module, waiting) for each in watched.values()),
        softhsm=softhsm_is_here(),
        no_kms=cloud.not_possible_because(),
    )


def _silent(module: Path, problem: str) -> ModuleSeen:
    return ModuleSeen(module=str(module)[:_TEXT], maker="", tokens=(), problem=problem)


def look_again(module: str, pipe: Connection, parent: int) -> None:
    """Look into a library again and again, in a process of its own."""
    die_with_parent(parent)
    again = False
    while True:
        pipe.send_bytes(msgspec.json.encode(look_once(module, again=again)))
        again = True
        time.sleep(POLL_S)


def look_once(module: str, *, again: bool = False) -> ModuleSeen:
    """Return a library's tokens, or why it tells none."""
    path = Path(module)
    if not path.is_file():
        problem = "there is no such file"
    else:
        try:
            listing = list_tokens(path, again=again)
        except HsmError as error:
            problem = str(error)[:_TEXT]
        else:
            return ModuleSeen(
                module=module[:_TEXT],
                maker=listing.maker,
                tokens=tuple(_token_seen(module, token) for token in listing.tokens),
                problem=_not_listed(len(listing.tokens), listing.more),
            )
    return _silent(path, problem)


def _not_listed(listed: int, more: int) -> str:
    if not more:
        return ""
    return (
        f"{listed} of its {listed + more} tokens are listed. "
        "A member on another one is set up in a terminal, with `quorate init`."
    )


def _token_seen(module: str, token: ListedToken) -> TokenSeen:
    return TokenSeen(
        module=module[:_TEXT],
        slot=token.slot,
        label=token.label,
        maker=token.maker,
        model=token.model,
        serial=token.serial,
        pin=token.tries,
        missing=tuple(text[:_TEXT] for text in token.missing),
        for_tests_only=token.standing is Standing.FOR_TESTS,
        unproven=token.standing is Standing.UNPROVEN,
        in_use=token.in_use,
    )


def _checked(table: Capabilities, *, begun: bool = False) -> TokenChecked:
    return TokenChecked(
        token=table.token[:_TEXT],
        rows=tuple(_row(row, begun=begun) for row in table.rows),
    )


def _row(row: Capability, *, begun: bool) -> CapabilityRow:
    # Making keys judges by their identifier whose they are: a set-up's own are used or removed.
    own = begun and row.name == ROOM and row.fits is False
    return CapabilityRow(
        name=row.name[:128],
        need=row.need[:_TEXT],
        found=_BEGUN if own else row.found[:_TEXT],
        used=row.used[:_TEXT],
        fits=None if own else row.fits,
    )


def _files_checked() -> TokenChecked:
    return TokenChecked(
        token=_FILES,
        rows=(
            CapabilityRow(
                name="Passphrase",
                need="a passphrase of at least 12 bytes",
                found="no hardware protects the keys: whoever has the files can try passphrases",
                used="Argon2id, AES-256-GCM",
                fits=True,
            ),
        ),
    )
