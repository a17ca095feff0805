"""How an identity travels to PostgreSQL: in one round trip with the first statement, on a connection wiped clean."""

import userscope.errors.sqlalchemy  # noqa: F401  # what sessions raise is SQLAlchemy's as well
