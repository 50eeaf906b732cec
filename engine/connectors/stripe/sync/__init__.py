"""What a mirror of Stripe has, and what it needs to be up to date."""
