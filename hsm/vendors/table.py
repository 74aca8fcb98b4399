"""The table of known makers, and the assumptions for all others.

No maker's hardware has been tried yet: so every token that is not in the table is unproven.
"""

from hsm.vendors.kryoptic import KRYOPTIC
from hsm.vendors.nss import NSS
from hsm.vendors.opencryptoki import OPENCRYPTOKI_SOFT
from hsm.vendors.softhsm import SOFTHSM
from hsm.vendors.vendor import Vendor

VENDORS: tuple[Vendor, ...] = (SOFTHSM, KRYOPTIC, OPENCRYPTOKI_SOFT, NSS)
GENERIC = Vendor(
    manufacturer="",
    backing="a PKCS#11 token that was not tried: whether hardware protects its keys is not known",
)


def vendor_of(manufacturer: str, model: str = "") -> Vendor:
    """Return the traits of a token from its maker's and its model's name."""
    for vendor in VENDORS:
        if manufacturer.startswith(vendor.manufacturer) and model.startswith(vendor.model):
            return vendor
    return GENERIC
