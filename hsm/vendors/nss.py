"""NSS: the software token of Mozilla's libraries."""

from hsm.vendors.vendor import Vendor

NSS = Vendor(
    manufacturer="Mozilla",
    backing="NSS's database on this machine: a software token, no hardware protects the keys",
)
