"""The PKCS#11 vault: shares, identity, wrapping and the ledger's anchor in one HSM token."""

from hsm.provision import initialise_token, provision
from hsm.vault import Pkcs11Settings, Pkcs11Vault

__all__ = ["Pkcs11Settings", "Pkcs11Vault", "initialise_token", "provision"]
