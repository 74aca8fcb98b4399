"""What must hold of the tree itself: imports, sizes, words, and no secret in any repr."""
