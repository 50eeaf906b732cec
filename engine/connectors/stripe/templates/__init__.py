"""The example that `weir init` writes into a new project."""
