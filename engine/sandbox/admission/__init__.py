"""What a request meets first: keys, limits, faults, routes."""
