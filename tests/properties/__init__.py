"""Properties that hold for all parameters, subsets and delivery orders."""
