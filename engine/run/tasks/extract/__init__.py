"""Extraction: from the provider to staging."""
