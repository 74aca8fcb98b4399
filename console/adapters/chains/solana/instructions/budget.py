"""The Compute Budget program: limits of a transaction, and its price of a compute unit."""

from typing import Final

from console.adapters.chains.solana.instructions.shape import Kind, Shape

HEAP: Final = Shape("Heap", (), (("Bytes", Kind.U32),))
UNIT_LIMIT: Final = Shape("Compute unit limit", (), (("Units", Kind.U32),))
UNIT_PRICE: Final = Shape("Compute unit price", (), (("Micro-lamports", Kind.U64),))
LOADED_DATA: Final = Shape("Loaded data limit", (), (("Bytes", Kind.U32),))

SHAPES: Final = {1: HEAP, 2: UNIT_LIMIT, 3: UNIT_PRICE, 4: LOADED_DATA}
NAMES: Final = {0: "units and fee, of an older form"}
