"""What a table that exists is like, as the database's catalogs tell it."""
