-- Every table and view, with its columns, its triggers, and what each of the roles asked about may do: r, a, w, d, and D
-- (truncate), x (references), t (trigger). What is granted column by column stands in "by_column": [role, letter, names].
select pg_class.oid::int8 as oid, nspname::text as schema, relname::text as name, relkind::text as kind, relowner::int8 as owner,
       relrowsecurity as secured, relforcerowsecurity as forced,
       coalesce((select option_value::boolean from pg_options_to_table(reloptions) where option_name = 'security_invoker'), false) as invoker,
       exists (select from pg_options_to_table(reloptions) where option_name = 'check_option') as checked,
       relkind = 'v' and pg_relation_is_updatable(pg_class.oid, false) & 12 <> 0 as written,
       case when relkind in ('v', 'm') then pg_get_viewdef(pg_class.oid) end as definition,
       (select coalesce(json_agg(json_build_array(attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid)) order by attnum), '[]')
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = pg_class.oid and attnum > 0 and not attisdropped) as columns,
       (select coalesce(json_object_agg(role, letters), '{}') from (
           select role, string_agg(letter, '') as letters
             from unnest(%(roles)s::oid[]::int8[]) as role,
                  (values ('r', 'select'), ('a', 'insert'), ('w', 'update'), ('d', 'delete'), ('D', 'truncate'), ('x', 'references'), ('t', 'trigger'))
                      as kinds (letter, privilege)
            where has_table_privilege(role::oid, pg_class.oid, privilege) group by role) as granted) as privileges,
       (select coalesce(json_agg(json_build_array(role, letter, names)), '[]') from (
           select role, letter, json_agg(attname) as names
             from unnest(%(roles)s::oid[]::int8[]) as role, pg_attribute,
                  (values ('r', 'select'), ('a', 'insert'), ('w', 'update'), ('x', 'references')) as kinds (letter, privilege)
            where attrelid = pg_class.oid and attacl is not null and not attisdropped
              and has_column_privilege(role::oid, attrelid, attnum, privilege)
            group by role, letter) as granted) as by_column,
       array(select tgfoid::int8 from pg_trigger where tgrelid = pg_class.oid and not tgisinternal and tgenabled <> 'D') as triggers,
       array(select array[tgfoid::int8, tgtype::int8] from pg_trigger where tgrelid = pg_class.oid and not tgisinternal and tgenabled <> 'D') as fired,
       array(select refobjid::int8 from pg_rewrite join pg_depend on classid = 'pg_rewrite'::regclass and objid = pg_rewrite.oid
              where ev_class = pg_class.oid and refclassid = 'pg_class'::regclass and refobjid <> ev_class) as sources,
       coalesce((select bool_or(item.grantee <> relowner) from aclexplode(relacl) as item), false)
       or exists (select from pg_attribute where attrelid = pg_class.oid and attacl is not null) as shared
  from pg_class
  join pg_namespace on pg_namespace.oid = relnamespace
 where relkind in ('r', 'p', 'v', 'm', 'f') and nspname !~ '^pg_' and nspname <> 'information_schema'
   and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e');
