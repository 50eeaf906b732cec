"""Compares rows with the mirror and plans the writes that make the provider match."""
