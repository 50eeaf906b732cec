"""The simulated Stripe over HTTP."""
