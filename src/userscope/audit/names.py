"""What names tell to the audit's judge and to the probe alike."""

NOBODYS_BUSINESS = "mail|phone|passw|token|secret|card|iban|ssn|salary|birth"
"""Words of columns that are not shown to everybody by intent."""

SUPABASE = (
    *("_realtime", "cron", "extensions", "graphql", "graphql_public", "net", "pgbouncer", "pgsodium", "realtime"),
    *("supabase_functions", "supabase_migrations", "vault"),
)
"""Schemas that Supabase brings along, in which nobody acts."""
MIGRATIONS = {
    *("alembic_version", "django_migrations", "schema_migrations", "ar_internal_metadata", "_prisma_migrations"),
    *("flyway_schema_history", "databasechangelog", "databasechangeloglock", "knex_migrations"),
    *("knex_migrations_lock", "goose_db_version", "__drizzle_migrations", "_sqlx_migrations"),
}
"""Tables in which migration tools note what they ran, as rls_disabled.sql has them."""
