"""Lists, filters, searches and the truth about a world."""
