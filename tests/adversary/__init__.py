"""One test for each check that keeps a cheating party out, on a network that cheats."""
