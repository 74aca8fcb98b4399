"""The PKCS#11 vault: shares, identity, wrapping and the ledger's anchor in one HSM token."""

from hsm.capabilities import Capabilities, Capability, TokenInsufficient
from hsm.provision import SetUp, SetUpUnfinished, check_token, initialise_token, provision
from hsm.vault import Pkcs11Settings, Pkcs11Vault

__all__ = [
    "Capabilities",
    "Capability",
    "Pkcs11Settings",
    "Pkcs11Vault",
    "SetUp",
    "SetUpUnfinished",
    "TokenInsufficient",
    "check_token",
    "initialise_token",
    "provision",
]
