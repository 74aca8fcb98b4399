"""Kryoptic: a software token in one database file. It locks a PIN after ten tries."""

from hsm.vendors.vendor import Vendor

KRYOPTIC = Vendor(
    manufacturer="Kryoptic",
    backing="Kryoptic's database on this machine: a software token, no hardware protects the keys",
)
