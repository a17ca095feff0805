-- What no policy changes on the table %(relation)s, where app_user writes %(written)s: each with its cure. Its column
-- %(owner)s leads to the owner; %(directly)s: it names them itself. %(every_row)s are roles that will reach every row.
with recursive subject (oid, name, owner, owners) as (
    select pg_class.oid, pg_class.oid::regclass::text, quote_ident(attname), attnum
      from pg_class join pg_attribute on attrelid = pg_class.oid and attname = %(owner)s
     where pg_class.oid = %(relation)s
),
reading (oid) as (
    select ev_class
      from subject
      join pg_depend on refclassid = 'pg_class'::regclass and refobjid = subject.oid and classid = 'pg_rewrite'::regclass
      join pg_rewrite on pg_rewrite.oid = objid
     where ev_class <> subject.oid
    union
    select ev_class
      from reading
      join pg_depend on refclassid = 'pg_class'::regclass and refobjid = reading.oid and classid = 'pg_rewrite'::regclass
      join pg_rewrite on pg_rewrite.oid = objid
     where ev_class <> reading.oid
)
select what, cure
  from (
      select 1 as place, format('%%s may be null, and such a row is seen by nobody', owner) as what,
             format('alter table %%s alter column %%s set not null', name, owner) as cure
        from subject join pg_attribute on attrelid = subject.oid and attnum = owners
       where not attnotnull
      union all
      select 2, format('unique key %%s tells whoever writes %%s that a value is taken', indexrelid::regclass,
                       pg_get_indexdef(indexrelid, 1, false)),
             format('lead it by %%s', owner)
        from subject join pg_index on indrelid = subject.oid and (indisunique or indisexclusion) and indkey[0] <> owners
       where not exists (select from unnest((indkey::smallint[])[0:indnkeyatts - 1]) as number
                         join pg_attribute on attrelid = subject.oid and attnum = number
                        where not attname = any (%(written)s))
      union all
      select 3, case relkind when 'm' then format('materialized view %%s keeps rows of everybody, and no policy judges it', reading.oid::regclass)
                else format('view %%s shows its reader what its owner "%%s" sees', reading.oid::regclass, pg_get_userbyid(relowner)) end,
             case relkind when 'm' then format('drop materialized view %%s', reading.oid::regclass)
                else format('alter view %%s set (security_invoker = true)', reading.oid::regclass) end
        from reading join pg_class on pg_class.oid = reading.oid
       where relkind = 'm'
          or relkind = 'v' and not coalesce((select option_value::boolean from pg_options_to_table(reloptions)
                                              where option_name = 'security_invoker'), false)
      union all
      select 4, format('function %%s acts as its owner "%%s", and names %%s', pg_proc.oid::regprocedure, pg_get_userbyid(proowner), name),
             format('alter function %%s security invoker', pg_proc.oid::regprocedure)
        from subject join pg_class using (oid), pg_proc join pg_namespace on pg_namespace.oid = pronamespace
       where prosecdef and nspname not in ('pg_catalog', 'information_schema', 'app', 'app_private', 'app_fenced')
         and (exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid
                         and refclassid = 'pg_class'::regclass and refobjid = subject.oid)
              or prosqlbody is null and prosrc ~* ('\m' || regexp_replace(relname, '(\W)', '\\\1', 'g') || '\M'))
      union all
      select 5, format('statistics %%I.%%I tell by EXPLAIN about rows of everybody', stxnamespace::regnamespace, stxname),
             format('drop statistics %%I.%%I', stxnamespace::regnamespace, stxname)
        from subject join pg_statistic_ext on stxrelid = subject.oid
      union all
      select 6, format('table %%s refers to it, and is not protected', conrelid::regclass),
             format('userscope protect %%I.%%I --%%s %%s', nspname, relname,
                    -- What refers to a user's own key names the owner itself.
                    case when %(directly)s and confkey = array[owners] then 'owner' else 'through' end,
                    (select string_agg(quote_ident(attname), ', ') from pg_attribute where attrelid = conrelid and attnum = any (conkey)))
        from subject join pg_constraint on contype = 'f' and confrelid = subject.oid and conrelid <> subject.oid
        join pg_class on pg_class.oid = conrelid and not (relrowsecurity and relforcerowsecurity)
        join pg_namespace on pg_namespace.oid = relnamespace
      union all
      select 7, format('role %%s has rights on it, and no policy lets it reach a row', quote_ident(rolname)),
             'give what connects as it logins of "userscope create-login" first'
        from subject join pg_class using (oid), pg_roles
       where not rolsuper and not rolbypassrls and not pg_has_role(pg_roles.oid, relowner, 'member')
         and rolname <> all (array['app_user', 'app_auth', 'app_gate'] || %(every_row)s::text[])
         and exists (select from (select relacl union all select attacl from pg_attribute where attrelid = subject.oid) as lists (list),
                                 aclexplode(list) where grantee = pg_roles.oid)
         and not exists (select from pg_policy, unnest(polroles) as role
                          where polrelid = subject.oid and (role = 0 or pg_has_role(pg_roles.oid, role, 'usage')))
  ) as found
 order by place, what
