"""SQL boxes: checked by their parse tree, and run where they reach nothing but their tables."""
