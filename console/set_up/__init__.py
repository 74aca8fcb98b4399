"""What the set-up process does: questions of the window in, answers out, one a process."""
