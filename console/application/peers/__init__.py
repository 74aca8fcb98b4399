"""What members tell each other: signed statements, their exchange, members' machines."""
