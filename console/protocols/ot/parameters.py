"""The sizes of the oblivious transfers, as constants: never set at run time (docs/spec 3.1)."""

KAPPA = 256
"""Base transfers of one direction of a pair, and bits of the extension sender's secret."""

XI = 416
"""Extended transfers of one multiplication: 256 bits plus twice the statistical 80."""

WIDTH = 3
"""Scalars that one extended transfer carries: two inputs and the column that checks them."""

KEY = 32
"""Bytes of a key that a base transfer delivers."""

ROW = 80
"""Bytes of a row of the extension: XI bits, 96 that are discarded, 128 that mask the check."""

CHOICE = XI // 8
"""Bytes of a row that carry choice bits."""

HASHED = 16
"""Bytes of a hashed row."""
