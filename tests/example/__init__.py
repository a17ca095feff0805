"""The example as a person meets it: PostgreSQL, Better Auth, the service and its page."""
