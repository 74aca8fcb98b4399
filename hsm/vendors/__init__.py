"""What differs between makers of tokens, as data; one file a maker and one line in the table."""

from hsm.vendors.table import vendor_of
from hsm.vendors.vendor import Vendor

__all__ = ["Vendor", "vendor_of"]
