"""How tables that boxes need are read from Stripe: filters, windows, options, reasons."""
