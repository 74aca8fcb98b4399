"""Asking chains' nodes: bounded HTTP, strict JSON, several sources that must agree."""
