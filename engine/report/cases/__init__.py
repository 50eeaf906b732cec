"""Results of test cases."""
