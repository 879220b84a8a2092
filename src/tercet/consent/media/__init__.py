"""Media files in, packets out: where permission statements hide inside files. Pure, bounded."""
