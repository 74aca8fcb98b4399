"""The code of an entry holds its bytes: read back from the modules that are drawn."""

import json

import pytest
from segno import consts

from tests.fakes.setting_up import entry
from ui.first_run.own_entry import QR_SIZE
from ui.widgets.qr import QrCode

MASKS = (
    lambda y, x: (y + x) % 2 == 0,
    lambda y, x: y % 2 == 0,
    lambda y, x: x % 3 == 0,
    lambda y, x: (y + x) % 3 == 0,
    lambda y, x: (y // 2 + x // 3) % 2 == 0,
    lambda y, x: y * x % 2 + y * x % 3 == 0,
    lambda y, x: (y * x % 2 + y * x % 3) % 2 == 0,
    lambda y, x: ((y + x) % 2 + y * x % 3) % 2 == 0,
)
LEVELS = {1: consts.ERROR_LEVEL_L, 0: consts.ERROR_LEVEL_M, 3: consts.ERROR_LEVEL_Q}
LEVELS[2] = consts.ERROR_LEVEL_H
FORMAT_MASK = 0b101010000010010


def reserved(version: int) -> set[tuple[int, int]]:
    """Return the modules that hold no data (ISO/IEC 18004, section 6.3)."""
    size = 17 + 4 * version
    places = {(y, 6) for y in range(size)} | {(6, x) for x in range(size)}
    for top, left in ((0, 0), (0, size - 8), (size - 8, 0)):
        high = 9 if top == 0 else 8
        wide = 9 if left == 0 else 8
        places |= {(top + y, left + x) for y in range(high) for x in range(wide)}
    if version > 1:
        centres = consts.ALIGNMENT_POS[version - 2]
        corners = {(6, 6), (6, size - 7), (size - 7, 6)}
        for cy in centres:
            for cx in centres:
                if (cy, cx) not in corners:
                    places |= {(cy + y, cx + x) for y in range(-2, 3) for x in range(-2, 3)}
    if version > 6:
        for a in range(6):
            for b in range(size - 11, size - 8):
                places |= {(a, b), (b, a)}
    return places


def read(matrix) -> bytes:
    """Return the bytes of a code in byte mode, without correcting errors."""
    size = len(matrix)
    version = (size - 17) // 4
    bits = [matrix[8][x] for x in (0, 1, 2, 3, 4, 5, 7, 8)]
    bits += [matrix[y][8] for y in (7, 5, 4, 3, 2, 1, 0)]
    told = int("".join(map(str, bits)), 2) ^ FORMAT_MASK
    level, mask = LEVELS[told >> 13], MASKS[told >> 10 & 7]
    taken, stream, upwards = reserved(version), [], True
    for right in [*list(range(size - 1, 6, -2)), 5, 3, 1]:
        for y in range(size - 1, -1, -1) if upwards else range(size):
            free = [x for x in (right, right - 1) if (y, x) not in taken]
            stream += [matrix[y][x] ^ mask(y, x) for x in free]
        upwards = not upwards
    words = [int("".join(map(str, stream[at : at + 8])), 2) for at in range(0, len(stream) - 7, 8)]
    sizes = [
        block.num_data for block in consts.ECC[version][level] for _ in range(block.num_blocks)
    ]
    blocks: list[list[int]] = [[] for _ in sizes]
    order = iter(words)
    for place in range(max(sizes)):
        for block, length in zip(blocks, sizes, strict=True):
            if place < length:
                block.append(next(order))
    data = "".join(f"{word:08b}" for block in blocks for word in block)
    assert data[:4] == "0100"
    width = 8 if version < 10 else 16
    count = int(data[4 : 4 + width], 2)
    start = 4 + width
    return bytes(int(data[start + 8 * n : start + 8 * n + 8], 2) for n in range(count))


@pytest.mark.parametrize("name", ["Ana Ruiz", "Zoë Ångström " * 8, "x" * 128])
def test_an_entry_is_read_back_from_its_code(qtbot, name):
    code = QrCode(QR_SIZE)
    qtbot.addWidget(code)
    line = json.dumps(json.loads(entry("ana-ruiz", name).line), ensure_ascii=False)
    code.set_text(line, what="an entry")
    assert read(code.matrix) == line.encode()
    # A camera needs at least 3 pixels for a module, with the quiet zone inside the frame.
    assert QR_SIZE // (len(code.matrix) + 8) >= 2


def test_a_short_text_keeps_its_margin_for_damage(qtbot):
    code = QrCode()
    qtbot.addWidget(code)
    code.set_text("bc1q" + "w" * 38)
    assert read(code.matrix).decode().startswith("bc1q")
    code.set_text("x", masked=True)
    assert code.matrix == ()
