"""Templates of SQL boxes: sandboxed, and every value a literal."""
