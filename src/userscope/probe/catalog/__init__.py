"""What the probe knows of a schema: relations, columns, keys, policies, functions, triggers, and rights on them."""
