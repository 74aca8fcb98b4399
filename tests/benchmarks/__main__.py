"""`./run bench [name ...]`: measures, prints a table, writes build/bench.json."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import ceremonies, chains, ecdsa, nodes, protocols, sizes, vaults, window
from tests.benchmarks.figures import Figure

OUT = Path("build/bench.json")
BENCHMARKS: dict[str, Callable[[], list[Figure]]] = {
    "frost_ed25519_sign_2of3": protocols.frost_ed25519_sign_2of3,
    "frost_ed25519_sign_3of5": protocols.frost_ed25519_sign_3of5,
    "frost_ed25519_sign_7of10": protocols.frost_ed25519_sign_7of10,
    "frost_secp256k1_sign_2of3": protocols.frost_secp256k1_sign_2of3,
    "frost_secp256k1_sign_3of5": protocols.frost_secp256k1_sign_3of5,
    "frost_secp256k1_sign_7of10": protocols.frost_secp256k1_sign_7of10,
    "dkls23_sign_2of3": ecdsa.dkls23_sign_2of3,
    "dkls23_sign_3of5": ecdsa.dkls23_sign_3of5,
    "dkls23_online_2of3": ecdsa.dkls23_online_2of3,
    "dkls23_pair_setup": ecdsa.dkls23_pair_setup,
    "dkls23_presignature_size": sizes.dkls23_presignature_size,
    "signature_bytes": sizes.signature_bytes,
    "frost_ed25519_steps": protocols.frost_ed25519_steps,
    "keygen_eddsa_2of3": protocols.keygen_eddsa_2of3,
    "keygen_all_kinds_2of3": ceremonies.keygen_all_kinds_2of3,
    "refresh_2of3": ceremonies.refresh_2of3,
    "reshare_2of3_to_3of5": ceremonies.reshare_2of3_to_3of5,
    "adapter_overhead_solana": chains.adapter_overhead_solana,
    "adapter_overhead_ethereum": chains.adapter_overhead_ethereum,
    "ethereum_first_use": chains.ethereum_first_use,
    "ethereum_questions": chains.ethereum_questions,
    "adapter_overhead_bitcoin_segwit": chains.adapter_overhead_bitcoin_segwit,
    "adapter_overhead_bitcoin_taproot": chains.adapter_overhead_bitcoin_taproot,
    "hsm_seal": vaults.hsm_seal,
    "hsm_unseal": vaults.hsm_unseal,
    "ledger_append": vaults.ledger_append,
    "ledger_open_verified_100k": vaults.ledger_open_verified_100k,
    "ledger_page_100k": vaults.ledger_page_100k,
    "hsm_slow": vaults.hsm_slow,
    "nodes": nodes.nodes,
    "ui_cold_start": window.ui_cold_start,
    "ui_stall": window.ui_stall,
}


def main() -> int:
    """Run the named benchmarks, or all; earlier figures of others stay in the file."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    terminal = Console()
    if unknown:
        terminal.print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
        return 2
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    kept = {row["name"]: row for row in _read()}
    table = Table("name", "value", "unit", "p50", "p95", "n")
    for name in names:
        terminal.print(f"measuring {name}", style="dim")
        for figure in BENCHMARKS[name]():
            kept[figure.name] = figure.row()
            cells = (figure.value, figure.unit, figure.p50, figure.p95, figure.n)
            table.add_row(figure.name, *(str(cell) for cell in cells))
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(list(kept.values()), indent=1) + "\n")
    terminal.print(table)
    return 0


def _read() -> list[dict[str, object]]:
    try:
        return list(json.loads(OUT.read_text()))
    except (OSError, ValueError):
        return []


if __name__ == "__main__":
    sys.exit(main())
