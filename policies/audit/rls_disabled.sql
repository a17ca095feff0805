-- Which tables are not under row-level security at all? A partition or child that nobody may name counts as its parent.
-- What a migration tool notes in a table of its own is no user's: no service is to reach it, and its owner reads all of it.
select case when reached is null then 'warning' else 'error' end as level,
       format('%I.%I', nspname, relname) as object,
       'row-level security is off' as finding,
       case when policies then 'The table has policies, and none of them applies. ' else '' end ||
       case when reached is null then 'No service can reach it yet; the first grant opens every row.'
            else 'Whoever has a privilege on it reaches every row.' end ||
       case when tool then ' It looks like a migration tool''s own: an owner whom row-level security binds would find it empty, and run every migration again.'
            else '' end as detail,
       case when tool then format('revoke all on %I.%I from %s', nspname, relname, reached)
            else format('alter table %I.%I enable row level security, force row level security', nspname, relname) end as cure
  from pg_class
  join audited on audited.oid = relnamespace,
       lateral (select exists (select from pg_policy where polrelid = pg_class.oid) as policies,
                       relname in ('alembic_version', 'django_migrations', 'schema_migrations', 'ar_internal_metadata', '_prisma_migrations',
                                   'flyway_schema_history', 'databasechangelog', 'databasechangeloglock', 'knex_migrations',
                                   'knex_migrations_lock', 'goose_db_version', '__drizzle_migrations', '_sqlx_migrations') as tool,
                       (select string_agg(quote_ident(rolname), ', ' order by roles.oid)
                          from (select * from roles union select * from gate) as roles
                         where has_table_privilege(roles.oid, pg_class.oid, 'select, insert, update, delete')
                            or has_any_column_privilege(roles.oid, pg_class.oid, 'select, insert, update')) as reached) as facts
 where relkind in ('r', 'p') and not relrowsecurity
   and (reached is not null or policies or not tool and not exists (select from pg_inherits where inhrelid = pg_class.oid))
 order by 2;
