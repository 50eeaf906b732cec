"""One verb a file; each has `command`."""
