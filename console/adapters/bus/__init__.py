"""Event buses: in-process now; a message broker can implement the same port."""
