"""Generates the Stripe catalogue from the source of the installed SDK."""
