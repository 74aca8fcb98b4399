"""Event buses: in-process now, a message broker for bigger deployments behind the same port."""
