"""Published test vectors, with their sources, and the tests that run them."""
