"""What protects a table that exists: closed, opened to its rows' owners, and the way back."""
