-- Of the relations that an error may mean by these words: columns that this login may do nothing with, though it reads
-- others of the same relation, and the grant that would change that.
select name, columns,
       'grant ' || (select string_agg(command || ' (' || columns || ')', ', ' order by number)
                      from unnest(array['select', 'insert', 'update']) with ordinality as commands (command, number)
                     where has_any_column_privilege(relation, command))
                || ' on ' || name || ' to '
                || (select string_agg(distinct grantee::regrole::text, ', ')
                      from pg_attribute, aclexplode(attacl)
                     where attrelid = relation and privilege_type = 'SELECT' and grantee <> 0 and pg_has_role(grantee, 'usage')) as cure
  from (
      select pg_class.oid as relation, quote_ident(nspname) || '.' || quote_ident(relname) as name,
             string_agg(quote_ident(attname), ', ' order by attnum) as columns
        from pg_class
        join pg_namespace on pg_namespace.oid = relnamespace
        join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
       where relname = any (%s) and has_schema_privilege(relnamespace, 'usage')
         and has_any_column_privilege(pg_class.oid, 'select')
         and not has_column_privilege(pg_class.oid, attnum, 'select, insert, update')
       group by pg_class.oid, nspname, relname
  ) as ungranted
 order by 1
