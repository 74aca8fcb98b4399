"""Keep shares healthy: refresh, drill, repair, reshare, and machines that members endorse."""
