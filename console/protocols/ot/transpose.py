"""The transpose of a matrix of bits, held in one large integer."""

from console.protocols.ot.parameters import KAPPA, ROW, XI

_STRIDE = 8 * ROW
_SIZE = KAPPA * ROW


def _mask(height: int) -> int:
    """Select the bits that a step swaps: in rows with bit `height` set, columns with it clear.

    The last columns of a row, beyond two square blocks, stay where they are.
    """
    columns = sum(1 << (_STRIDE - 1 - column) for column in range(2 * KAPPA) if not column & height)
    row = columns.to_bytes(ROW, "big")
    return int.from_bytes(
        b"".join(row if index & height else bytes(ROW) for index in range(KAPPA)), "big"
    )


# Rows and columns whose numbers differ in one bit are swapped, one bit of the number at a time.
_STEPS = tuple((h * (_STRIDE - 1), _mask(h)) for h in (128, 64, 32, 16, 8, 4, 2, 1))

_PLACES = tuple(
    (ROW * (j % KAPPA) + j // KAPPA * KAPPA // 8, ROW * (j % KAPPA) + (j // KAPPA + 1) * KAPPA // 8)
    for j in range(XI)
)


def transposed(matrix: int) -> bytes:
    """Transpose KAPPA rows of ROW bytes, block by block; `column` finds one in the result."""
    for distance, mask in _STEPS:
        swapped = (matrix ^ (matrix >> distance)) & mask
        matrix ^= swapped ^ (swapped << distance)
    return matrix.to_bytes(_SIZE, "big")


def columns(block: bytes) -> list[bytes]:
    """Return the first XI columns of the matrix that was transposed, KAPPA bits each."""
    return [block[begin:end] for begin, end in _PLACES]


def repeated(column: bytes) -> int:
    """Lay out one column so that xor with a transposed matrix changes all its columns."""
    return int.from_bytes((column + column + bytes(ROW - len(column) * 2)) * KAPPA, "big")
