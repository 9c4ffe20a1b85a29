"""What people look at: the page, its figures, and the check against a saved table."""
