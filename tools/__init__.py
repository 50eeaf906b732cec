"""What only developers of Weir run; not in the wheel."""
