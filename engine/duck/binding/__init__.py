"""Boxes bound offline on empty tables: their columns, their needs and their errors."""
