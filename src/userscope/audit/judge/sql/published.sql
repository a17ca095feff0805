-- What is told to subscribers.
select pubname::text as publication, pg_class.oid::int8 as relation
  from pg_publication_tables
  join pg_namespace on nspname = schemaname
  join pg_class on relnamespace = pg_namespace.oid and relname = tablename;
