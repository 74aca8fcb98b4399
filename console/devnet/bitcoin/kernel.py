"""Bitcoin Core's own validation, through libbitcoinkernel: regtest's chain and its scripts."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pbk
from bitcoin.core import CTxOut
from pbk.script import PrecomputedTransactionData


class BlockRefused(Exception):
    """The kernel refused a block; the message says why."""


class Kernel:
    """A chain in a directory of its own, which `close` removes."""

    def __init__(self) -> None:
        # A list, not a method: a method would make a reference cycle with the kernel.
        self._verdicts: list[tuple[pbk.ValidationMode, pbk.BlockValidationResult]] = []
        self._directory = tempfile.TemporaryDirectory(prefix="quorate-bitcoin-")
        try:
            self._manager: Any = _open(Path(self._directory.name), self._verdicts)
        except BaseException:  # Leave no directory behind, for any failure.
            self._directory.cleanup()
            raise

    @property
    def height(self) -> int:
        """Height of the active chain."""
        return int(self._manager.get_active_chain().height)

    def genesis(self) -> bytes:
        """Return block 0."""
        return bytes(self._manager.blocks[self._entry(0)])

    def tip(self) -> bytes:
        """Return the hash of the active chain's newest block, in the order of its bytes."""
        return bytes(self._entry(self.height).block_hash)

    def submit(self, block: bytes) -> None:
        """Submit a block; one of a shorter branch is stored too. Raises: BlockRefused."""
        self._verdicts.clear()
        # The return value says only whether the block was stored; the callback has the verdict.
        try:
            self._manager.process_block(pbk.Block(block))
        except pbk.KernelException:
            raise BlockRefused("not stored") from None
        for mode, result in self._verdicts:
            if mode is not pbk.ValidationMode.VALID:
                raise BlockRefused(result.name)

    def failing_input(self, transaction: bytes, spent: Sequence[CTxOut]) -> int | None:
        """Return the first input whose script fails, None if all succeed.

        `spent` are the outputs spent, one for each input.
        """
        parsed = pbk.Transaction(transaction)
        outputs = [
            pbk.TransactionOutput(pbk.ScriptPubkey(bytes(out.scriptPubKey)), out.nValue)
            for out in spent
        ]
        precomputed = PrecomputedTransactionData(parsed, outputs)
        for index, out in enumerate(spent):
            script = pbk.ScriptPubkey(bytes(out.scriptPubKey))
            # An invalid script does not raise, whatever the library documents: the value counts.
            if not script.verify(
                out.nValue, parsed, precomputed, index, pbk.ScriptVerificationFlags.ALL
            ):
                return index
        return None

    def close(self) -> None:
        """Close the chain and remove its directory. Repeating is harmless."""
        self._manager = None
        self._directory.cleanup()

    def _entry(self, height: int) -> Any:
        return self._manager.get_active_chain().block_tree_entries[height]


def _open(directory: Path, verdicts: list[Any]) -> Any:
    def checked(_data: object, _block: object, state: Any) -> None:
        verdicts.append((state.validation_mode, state.block_validation_result))

    callbacks = pbk.ValidationInterfaceCallbacks(block_checked=checked)
    context = pbk.make_context(pbk.ChainType.REGTEST, callbacks)
    options = pbk.ChainstateManagerOptions(context, str(directory), str(directory / "blocks"))
    options.update_block_tree_db_in_memory(True)
    options.update_chainstate_db_in_memory(True)
    # Blocks of a few transactions gain nothing from threads.
    options.set_worker_threads_num(0)
    return pbk.ChainstateManager(options)
