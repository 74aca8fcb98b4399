"""From a draft to a request for approval."""
