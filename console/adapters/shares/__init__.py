"""The encrypted-file vault, for machines without an HSM."""

from console.adapters.shares.vault import FileVault, FileVaultSettings, create_file_vault
from console.sealing.passphrase import Argon2Cost

__all__ = ["Argon2Cost", "FileVault", "FileVaultSettings", "create_file_vault"]
