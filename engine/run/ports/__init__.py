"""What a run needs from outside, one port a file."""
