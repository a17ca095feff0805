"""Two people who reach for each other's rows, and sample data: through the same doors as a service."""
