"""Running cases of interfaces: offline, without a key, and in a temporary folder."""
