"""What people read while work is done and after it, in words and tables: progress, results, notebooks, hints."""
