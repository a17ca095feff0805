-- What this login may not do with the relations that an error may mean by these words, %(words)s, of which a statement
-- wrote %(columns)s by %(commands)s: one row for each kind of reason, with what is refused, and its cure.
with meant (oid, name, relname, relkind, secured, entered) as (
    select pg_class.oid, quote_ident(nspname) || '.' || quote_ident(relname), quote_ident(relname), relkind, relrowsecurity,
           has_any_column_privilege(pg_class.oid, 'select')
      from pg_class
      join pg_namespace on pg_namespace.oid = relnamespace
     where relname = any (%(words)s) and relkind in ('r', 'p', 'v', 'S') and has_schema_privilege(relnamespace, 'usage')
),
ungranted (oid, name, columns) as (  -- columns that nothing may be done with, though others of the relation are read
    select meant.oid, name, string_agg(quote_ident(attname), ', ' order by attnum)
      from meant
      join pg_attribute on attrelid = meant.oid and attnum > 0 and not attisdropped
     where entered and relkind <> 'S' and not has_column_privilege(meant.oid, attnum, 'select, insert, update')
     group by meant.oid, name
)
select 'ungranted' as reason, name, columns,
       'grant ' || (select string_agg(command || ' (' || columns || ')', ', ' order by number)
                      from unnest(array['select', 'insert', 'update']) with ordinality as commands (command, number)
                     where has_any_column_privilege(oid, command))
                || ' on ' || name || ' to '
                || (select string_agg(distinct grantee::regrole::text, ', ')
                      from pg_attribute, aclexplode(attacl)
                     where attrelid = oid and privilege_type = 'SELECT' and grantee <> 0 and pg_has_role(grantee, 'usage')) as cure
  from ungranted
union all
select 'written', name, string_agg(distinct quote_ident(attname), ', '), null
  from meant
  join pg_attribute on attrelid = meant.oid and not attisdropped
  join unnest(%(commands)s::text[], %(columns)s::text[]) as tried (command, written) on written = attname
 where entered and relkind <> 'S' and not has_column_privilege(meant.oid, attnum, command)
   and meant.oid not in (select oid from ungranted)
 group by name
union all
select 'closed', name, null,
       case relkind when 'S' then format('grant usage on sequence %%s to app_user', name)
                    when 'v' then format('grant select on %%s to app_user', name)
                    else format('userscope protect %%s', name) end
  from meant
 where relkind in ('r', 'p', 'v') and not secured and not entered and not has_any_column_privilege(oid, 'insert, update')
    or relkind = 'S' and not has_sequence_privilege(oid, 'usage')
 order by 1, 2
