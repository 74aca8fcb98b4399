"""Set-ups that are not over: what is kept of them, what is theirs on disk, and who goes on."""

from console.unfinished.journal import JOURNAL_FILE, PLACE_FILE, Journal, Origin
from console.unfinished.lock import SetUpBusy, set_up_held
from console.unfinished.set_up import (
    FRESH_ROSTER,
    FRESH_SETTINGS,
    TRIAL_FOLDER,
    VAULT_FILES,
    UnfinishedSetUp,
    holds_keys_elsewhere,
    is_same_vault,
    put_in_place,
)
from console.unfinished.softhsm import SOFTHSM_CONF, TOKENS, find_softhsm, softhsm_conf

__all__ = [
    "FRESH_ROSTER",
    "FRESH_SETTINGS",
    "JOURNAL_FILE",
    "PLACE_FILE",
    "SOFTHSM_CONF",
    "TOKENS",
    "TRIAL_FOLDER",
    "VAULT_FILES",
    "Journal",
    "Origin",
    "SetUpBusy",
    "UnfinishedSetUp",
    "find_softhsm",
    "holds_keys_elsewhere",
    "is_same_vault",
    "put_in_place",
    "set_up_held",
    "softhsm_conf",
]
