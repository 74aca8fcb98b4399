"""The table of known makers, and the assumptions for all others."""

from hsm.vendors.softhsm import SOFTHSM
from hsm.vendors.vendor import Vendor

VENDORS: tuple[Vendor, ...] = (SOFTHSM,)
GENERIC = Vendor(
    manufacturer="",
    backing="a PKCS#11 token",
    for_production=True,
)


def vendor_of(manufacturer: str) -> Vendor:
    """Return the traits of a token from its maker's name."""
    for vendor in VENDORS:
        if manufacturer.startswith(vendor.manufacturer):
            return vendor
    return GENERIC
