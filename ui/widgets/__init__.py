"""Building blocks of the screens; they know views and colours, never the node."""
