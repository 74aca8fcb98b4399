"""Data that the window reads: icons, fonts, colours, style sheet."""
