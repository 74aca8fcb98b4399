"""One folder per screen; a screen never imports another."""
