"""The client of chains' nodes."""
