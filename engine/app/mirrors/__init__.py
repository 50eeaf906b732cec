"""What a mirror holds: status, verification, and whether a connection works."""
