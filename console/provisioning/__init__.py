"""Sets members up on this machine: their keys and files, the vault's roster, checks of tokens."""

from console.provisioning.checks import check, check_softhsm
from console.provisioning.cloud import KMS, CloudKeys, check_cloud
from console.provisioning.member_files import NewMember, vault_of
from console.provisioning.members import (
    PinNeeded,
    discard_member,
    finish_member,
    make_keys,
    set_up_member,
)
from console.provisioning.rosters import end_if_whole, join_vault, open_vault, write_roster

__all__ = [
    "KMS",
    "CloudKeys",
    "NewMember",
    "PinNeeded",
    "check",
    "check_cloud",
    "check_softhsm",
    "discard_member",
    "end_if_whole",
    "finish_member",
    "join_vault",
    "make_keys",
    "open_vault",
    "set_up_member",
    "vault_of",
    "write_roster",
]
