"""SoftHSM 2: a test token. It never locks a PIN and does not authenticate its object files."""

from hsm.vendors.vendor import Vendor

SOFTHSM = Vendor(
    manufacturer="SoftHSM",
    backing="SoftHSM files on this machine: for tests, no hardware protects the keys",
    for_tests_only=True,
)
