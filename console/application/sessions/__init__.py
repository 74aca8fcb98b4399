"""Protocol sessions over the network: who takes part, what travels, who is blamed."""
