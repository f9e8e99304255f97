"""Welcome: what an empty window offers: to begin, to go on, and skies to try things on."""
