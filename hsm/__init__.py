"""The PKCS#11 vault: shares, identity, wrapping and the ledger's anchor in one HSM token.

The vault over AWS KMS is in `hsm.kms`.
"""

from hsm.capabilities import Capabilities, Capability, TokenInsufficient
from hsm.listing import ListedToken, Listing, list_tokens, standing_of
from hsm.provision import check_token, initialise_token, provision, remove
from hsm.removal import (
    SetUp,
    SetUpOver,
    SetUpUnfinished,
    SetUpUnproven,
    TokenTaken,
    require_not_over,
)
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from hsm.vendors import Standing

__all__ = [
    "Capabilities",
    "Capability",
    "ListedToken",
    "Listing",
    "Pkcs11Settings",
    "Pkcs11Vault",
    "SetUp",
    "SetUpOver",
    "SetUpUnfinished",
    "SetUpUnproven",
    "Standing",
    "TokenInsufficient",
    "TokenTaken",
    "check_token",
    "initialise_token",
    "list_tokens",
    "provision",
    "remove",
    "require_not_over",
    "standing_of",
]
