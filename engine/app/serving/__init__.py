"""`weir serve`: definitions that reload, interfaces that run by schedule and by request."""
