"""The window before there is a member: ways in, the seven steps of a set-up, and the guide."""
