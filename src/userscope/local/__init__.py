"""A PostgreSQL of one's own: for development, tests and demonstrations, never for production data."""
