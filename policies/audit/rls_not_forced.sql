-- Which tables do not bind their owner? Then a definer function or a service that owns the table is above every policy.
select 'error' as level, format('%I.%I', nspname, relname) as object,
       'row-level security is not forced' as finding,
       format('Its owner "%s" is bound by no policy.', pg_get_userbyid(relowner)) as detail,
       format('alter table %I.%I force row level security', nspname, relname) as cure
  from pg_class
  join audited on audited.oid = relnamespace
 where relkind in ('r', 'p') and relrowsecurity and not relforcerowsecurity
 order by 2;
