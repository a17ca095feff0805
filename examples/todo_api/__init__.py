"""A todo service on userscope, FastAPI and Better Auth: see docs/better-auth.md, and `make example`."""
