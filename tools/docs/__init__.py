"""The reference pages, made from the models and codes."""
