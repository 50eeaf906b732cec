"""Adapters to the systems Weir reaches: one package each, none imports another."""
