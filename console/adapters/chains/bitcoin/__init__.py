"""Bitcoin: transactions as PSBTs and messages, built and described from their bytes alone."""
