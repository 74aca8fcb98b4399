"""A devnet in one process: real chain runtimes behind their usual interfaces, on loopback."""
