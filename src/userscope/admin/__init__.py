"""What an owner does beside migrating: logins for services, and keys that seal identities."""
