"""A vault whose keys are in AWS KMS, and whose passphrase is needed beside them."""

from hsm.kms.connect import missing_package
from hsm.kms.place import KmsPlace, PlaceInvalid
from hsm.kms.provision import KmsSetUp, Provisioned, check_kms, provision_kms, remove_kms
from hsm.kms.vault import KmsSettings, KmsVault

__all__ = [
    "KmsPlace",
    "KmsSetUp",
    "KmsSettings",
    "KmsVault",
    "PlaceInvalid",
    "Provisioned",
    "check_kms",
    "missing_package",
    "provision_kms",
    "remove_kms",
]
