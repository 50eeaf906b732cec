"""From a folder to a graph with its findings: load, validate, resolve, compile, fix."""
