"""Training in fleets: many small networks at once, each drawing from its own streams."""
