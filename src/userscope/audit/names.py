"""What names tell to the audit's judge and to the probe alike."""

NOBODYS_BUSINESS = "mail|phone|passw|token|secret|card|iban|ssn|salary|birth"
"""Words of columns that are not shown to everybody by intent."""

SUPABASE = (
    *("_realtime", "cron", "extensions", "graphql", "graphql_public", "net", "pgbouncer", "pgsodium", "realtime"),
    *("supabase_functions", "supabase_migrations", "vault"),
)
"""Schemas that Supabase brings along, in which nobody acts."""
