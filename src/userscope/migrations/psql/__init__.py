"""What scripts write in psql's language: variables, conditions, included files, data of COPY."""
