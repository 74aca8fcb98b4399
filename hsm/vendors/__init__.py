"""Differences between makers of tokens, as data: one file and one table line per maker."""

from hsm.vendors.table import vendor_of
from hsm.vendors.vendor import Standing, Vendor

__all__ = ["Standing", "Vendor", "vendor_of"]
