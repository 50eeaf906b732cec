"""Plans and live plans."""
