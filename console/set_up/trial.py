"""The demonstration vault: three members on SoftHSM and a devnet, kept until it is discarded."""

from collections.abc import Callable
from pathlib import Path

from console.client.set_up import messages as m
from console.local_chains import local_chains_installed
from console.set_up.naming import TRIAL_FOLDER
from console.set_up.refusing import NotDone
from console.set_up.tokens import softhsm_is_here


def is_kept(home: Path) -> bool:
    """Return whether a demonstration vault is kept below `home`."""
    return (home / TRIAL_FOLDER).exists()


def not_possible_because() -> str:
    """Return why no demonstration vault can be made here, or ''."""
    if not local_chains_installed():
        return (
            "The local chains, on which a demonstration pays, are not part of this installation. "
            "They are in the sources."
        )
    if not softhsm_is_here():
        return "SoftHSM, which holds a demonstration's keys, is not installed (softhsm2)."
    return ""


def make(home: Path, tell: Callable[[m.Answer], None]) -> m.TrialReady:
    """Make the demonstration vault, or start the one that is kept."""
    raise NotDone("trial", "Not yet.", str(home), str(tell))


def discard(home: Path) -> m.Discarded:
    """Stop the demonstration vault and remove it."""
    raise NotDone("trial", "Not yet.", str(home), "")
