"""opencryptoki's software token; its other tokens report another model."""

from hsm.vendors.vendor import Vendor

OPENCRYPTOKI_SOFT = Vendor(
    manufacturer="IBM",
    model="Soft",
    backing="opencryptoki's software token on this machine: no hardware protects the keys",
)
