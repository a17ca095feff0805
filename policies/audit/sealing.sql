-- Can the database tell whether an identity must be sealed? Asked where the identity is ours.
select level, object, finding, detail, cure
  from (select exists (select from identity join pg_proc on pg_proc.oid = proc join pg_namespace on pg_namespace.oid = pronamespace
                        where nspname = 'app' and proname in ('current_user_key', 'current_user_id'))) as sealed (here),
       (values ('seal_keys'), ('sealing')) as wanted (name)
  left join (select proowner, lanname <> 'sql' as accepts_unsealed from pg_proc join pg_language on pg_language.oid = prolang join pg_namespace on pg_namespace.oid = pronamespace
              where nspname = 'app' and proname = 'current_user_key') as helper on true
  left join (pg_class join pg_namespace on pg_namespace.oid = relnamespace and nspname = 'app_private') on relname = name
  cross join lateral (
       -- ts_stat runs a query that is a string: a plain one would be refused as a whole to who may not read the table.
       select count(*) filter (where ndoc > 0) as answers, bool_or(word = 'true') as required, bool_or(ndoc = 1) as one
         from (select 1 where name = 'sealing' and pg_class.oid is not null
                  and has_schema_privilege(relnamespace, 'usage') and has_table_privilege(pg_class.oid, 'select')
                  and not row_security_active(pg_class.oid)) as allowed,
              lateral ts_stat('select array_to_tsvector(array[required::text]) from app_private.sealing')
  ) as content
  cross join lateral (
       select 'error' as level, 'a table of sealing is missing' as finding, 'No identity counts while it is.' as detail,
              'userscope verify' as cure
        where pg_class.oid is null
       union all
       select 'error', 'a table of sealing is forced', 'Its owner may see no row, and then no identity counts.',
              format('alter table app_private.%I no force row level security', name)
        where relforcerowsecurity
       union all
       select 'error', 'a table of sealing is not under row-level security', 'pg_read_all_data reads it.',
              format('alter table app_private.%I enable row level security', name)
        where not relrowsecurity
       union all
       select 'error', 'its owner is not the identity function''s', 'The function may see no row, and then no identity counts.',
              format('alter table app_private.%I owner to %I', name, pg_get_userbyid(helper.proowner))
        where relowner <> helper.proowner
       union all
       select 'info', 'whether a seal is required could not be seen', format('"%s" may not read the table.', current_user),
              'run this as its owner'
        where name = 'sealing' and pg_class.oid is not null
          and not (has_schema_privilege(relnamespace, 'usage') and has_table_privilege(pg_class.oid, 'select')
                   and not row_security_active(pg_class.oid))
       union all
       select 'error', 'nothing says whether a seal is required', 'While the table has no row, no identity counts without a seal.',
              'insert into app_private.sealing (required) values (true)'
        where name = 'sealing' and pg_class.oid is not null and has_schema_privilege(relnamespace, 'usage')
          and has_table_privilege(pg_class.oid, 'select') and not row_security_active(pg_class.oid) and answers = 0
       union all
       select 'error', 'what it says is not in effect',
              format('app.current_user_key() has the body of a database that %s.',
                     case when accepts_unsealed then 'accepts identities without a seal' else 'requires seals' end),
              'update app_private.sealing set required = required, and enable its trigger always'
        where required = accepts_unsealed
       union all
       select 'error', 'its trigger is not always enabled', 'What the row says would not be put into effect.',
              'alter table app_private.sealing enable always trigger decide'
        where name = 'sealing' and pg_class.oid is not null
          and not exists (select from pg_trigger where tgrelid = pg_class.oid and tgname = 'decide' and tgenabled = 'A')
  ) as findings,
       lateral (select format('app_private.%I', name) as object) as named
 where here
 order by 2, 3;
