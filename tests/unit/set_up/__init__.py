"""The set-up process: its parsers, its refusals and its questions."""
