"""Objects of the simulated Stripe: identifiers, shapes, rendering, expansion."""
