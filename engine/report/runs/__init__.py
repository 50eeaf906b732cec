"""Runs, past runs, writes and reloads."""
