"""The demonstration: three members on this machine, one window, one thread from end to end."""
