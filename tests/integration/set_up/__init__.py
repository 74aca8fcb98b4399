"""The set-up process with real processes and sockets."""
