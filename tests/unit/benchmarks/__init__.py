"""How measurements are summed up."""
