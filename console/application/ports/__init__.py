"""What the application needs from the world, as interfaces; adapters implement them."""
