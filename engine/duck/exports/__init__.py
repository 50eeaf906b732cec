"""Rows compared with the mirror: which writes would make the provider agree."""
