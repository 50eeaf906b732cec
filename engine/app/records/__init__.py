"""What was done: past runs and past writes."""
