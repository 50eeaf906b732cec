"""What a change of the definitions means."""
