"""Measurements: `./run bench [name ...]` prints a table and writes build/bench.json."""
