"""The adapters that join signature kinds to protocols."""
