"""Facts and decisions of custody: standard library only, no I/O, no async, no clock."""
