"""What a run does for each kind of step, one kind a file."""
