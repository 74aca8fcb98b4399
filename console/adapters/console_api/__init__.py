"""The node's interface for its own consoles: gRPC on loopback with a client certificate."""

from console.adapters.console_api.server import ConsoleServer

__all__ = ["ConsoleServer"]
