"""SoftHSM 2: a test token. Never locks a PIN, does not authenticate its object files."""

from hsm.vendors.vendor import Vendor

SOFTHSM = Vendor(
    manufacturer="SoftHSM",
    backing="SoftHSM files on this machine: for tests, no hardware protects the keys",
    for_production=False,
)
