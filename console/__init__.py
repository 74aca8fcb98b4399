"""Quorate: threshold custody for institutions, the node and everything it is made of."""
