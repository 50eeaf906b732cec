"""Verbs for people who write definitions: new projects, the catalogue, JSON Schemas."""
