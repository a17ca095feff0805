-- error | policy limit_all on app.todos | a restrictive policy is a permissive one on Citus
set local allow_system_table_mods = on;
-- Where Citus is not: what tells that it is there. tests/citus has the same found where it is.
insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
select 1, 'citus', 10, 'pg_catalog'::regnamespace, false, '14.0-1';
create policy limit_all on app.todos as restrictive to app_user using (true);
