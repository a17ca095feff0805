"""PostgreSQL from below: URLs, connecting, client programs, clones; nothing here knows of users."""
