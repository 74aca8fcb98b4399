"""How members reach a devnet: its chains, tokens and notifications, as settings have them."""

from typing import Any

from console.devnet.tokens import ETHEREUM_DOLLAR, SOLANA_DOLLAR


def chain_entries(port: int) -> list[dict[str, Any]]:
    """Return the chains of the devnet at a port of 127.0.0.1, all on the network `devnet`."""
    at = f"127.0.0.1:{port}"
    return [
        {
            "chain": "solana",
            "network": "devnet",
            "url": f"http://{at}/solana",
            "tokens": [{"address": SOLANA_DOLLAR, "unit": "SUSD", "decimals": 6}],
            "websocket": f"ws://{at}/solana/ws",
        },
        {
            "chain": "ethereum",
            "network": "devnet",
            "url": f"http://{at}/ethereum",
            "tokens": [{"address": ETHEREUM_DOLLAR, "unit": "DUSD", "decimals": 6}],
        },
        {"chain": "bitcoin", "network": "devnet", "url": f"http://{at}/bitcoin"},
    ]
