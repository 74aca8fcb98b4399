"""Refresh, drill, repair and reshare, and machines that members endorse."""
