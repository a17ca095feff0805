"""How an identity travels to PostgreSQL: in one round trip with the first statement, on a connection wiped clean."""
