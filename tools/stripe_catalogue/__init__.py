"""Writes the Stripe catalogue from the source of the installed SDK. Not used at run time."""
