"""The encrypted-file vault, for machines without an HSM."""

from console.adapters.shares.key_file import Argon2Cost
from console.adapters.shares.vault import FileVault, FileVaultSettings, create_file_vault

__all__ = ["Argon2Cost", "FileVault", "FileVaultSettings", "create_file_vault"]
