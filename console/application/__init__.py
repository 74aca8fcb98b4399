"""Use cases: they see ports, never the adapters behind them."""
