"""The demonstration: members on this machine and one window, from key ceremony to broadcast."""
