"""A user reaches only their own rows: kept by PostgreSQL, used from Python."""
