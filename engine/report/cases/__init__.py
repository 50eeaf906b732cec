"""Results of cases."""
