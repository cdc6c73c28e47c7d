"""One error shape for the whole API."""
