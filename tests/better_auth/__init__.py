"""Better Auth itself, on our tables."""
