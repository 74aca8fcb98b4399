"""Key paths as text, and the child keys they name: "m", "m/0/5", "tr(m/0/5)"."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from console.application.ports.threshold import KeyPathRefused
from console.protocols.derivation import (
    DegenerateTweak,
    PathRefused,
    TweakContext,
    derive,
    parse_path,
    tap_tweak,
    tap_tweak_scalar,
    tweak_context,
)
from console.protocols.keygen.share import KeyShare, PublicKeyPackage

MAX_TEXT = 256

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyPath:
    """Unhardened steps from the group's key; with `taproot`, the output key without scripts."""

    steps: tuple[int, ...]
    taproot: bool = False


def parse_key_path(text: str, *, taproot: bool = False) -> KeyPath:
    """Parse a key path; `taproot` says whether the kind has output keys. Raises: KeyPathRefused."""
    if len(text) > MAX_TEXT:
        raise KeyPathRefused(f"a key path has at most {MAX_TEXT} characters")
    wrapped = text.startswith("tr(") and text.endswith(")")
    if wrapped and not taproot:
        raise KeyPathRefused("keys of this kind have no Taproot output key")
    try:
        return KeyPath(parse_path(text[3:-1] if wrapped else text), wrapped)
    except PathRefused as refused:
        raise KeyPathRefused(str(refused)) from None


def child_key(public: PublicKeyPackage, path: KeyPath) -> TweakContext:
    """Return the key at `path`, as the group's key and its tweaks. Raises: KeyPathRefused."""

    def walk() -> TweakContext:
        child = tweak_context(public, path.steps)
        if path.taproot:
            return child.apply_x_only(tap_tweak_scalar(child.Q, None))
        return child

    return _derived(walk)


@contextmanager
def child_share(share: KeyShare, path: KeyPath) -> Iterator[KeyShare]:
    """Lend this party's share of the key at `path`, wiped afterwards. Raises: KeyPathRefused."""
    with ExitStack() as dropped:
        child = _derived(lambda: derive(share, path.steps))
        dropped.callback(child.wipe)
        if path.taproot:
            internal = child
            child = _derived(lambda: tap_tweak(internal, None))
            dropped.callback(child.wipe)
        yield child


def _derived(derivation: Callable[[], T]) -> T:
    try:
        return derivation()
    except DegenerateTweak:
        raise KeyPathRefused("no key has this path: take the next index") from None
