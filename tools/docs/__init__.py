"""The generated reference pages; `python -m tools.docs` writes them."""
