"""The version of this program, which peers tell each other."""

VERSION = "0.1.0"
