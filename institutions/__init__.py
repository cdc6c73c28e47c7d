"""Banks and cooperatives: register, names, membership; their lists come to live here."""
