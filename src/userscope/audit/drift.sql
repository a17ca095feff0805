-- Everything about the audited and private schemas that a migration decides, one fact a row, for PostgreSQL 15 and later:
--   kind, object   what it is and its name; together they occur once
--   definition     its meaning, as PostgreSQL writes it; owners who own the first schema too are "the owner"
--   serious        whether a difference opens rows, or can
with schemas as (
    select oid, nspname, nspowner, nspacl from pg_namespace
     where nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_schemas', true), ''), 'app') || '}')::text[])
        or nspname = any (('{' || coalesce(nullif(current_setting('userscope.audit_private_schemas', true), ''), 'app_private') || '}')::text[])
        or nspname = 'app_fenced'
),
names (oid, name) as (
    select oid, case oid when (select nspowner from schemas order by nspname limit 1) then 'the owner' else quote_ident(rolname) end
      from pg_roles
    union all
    select 0, 'public'
),
relations as (
    select pg_class.*, format('%I.%I', nspname, relname) as object from pg_class join schemas on schemas.oid = relnamespace
     where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
),
-- attname is null for what was granted on the whole object
grants (object, owner, grantee, privilege, is_grantable, attname) as (
    select 'database', datdba, item.grantee, item.privilege_type, item.is_grantable, null
      from pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) as item where datname = current_database()
    union all
    select format('schema %I', nspname), nspowner, item.grantee, item.privilege_type, item.is_grantable, null
      from schemas, aclexplode(nspacl) as item
    union all
    select object, relowner, item.grantee, item.privilege_type, item.is_grantable, null from relations, aclexplode(relacl) as item
    union all
    select object, relowner, item.grantee, item.privilege_type, item.is_grantable, attname
      from relations join pg_attribute on attrelid = relations.oid and not attisdropped, aclexplode(attacl) as item
    union all
    select pg_proc.oid::regprocedure::text, proowner, item.grantee, item.privilege_type, item.is_grantable, null
      from pg_proc join schemas on schemas.oid = pronamespace, aclexplode(coalesce(proacl, acldefault('f', proowner))) as item
    union all
    select format('what %s makes in %s (%s)', names.name, coalesce(nspname, 'any schema'), defaclobjtype), defaclrole,
           item.grantee, item.privilege_type, item.is_grantable, null
      from pg_default_acl join names on names.oid = defaclrole left join schemas on schemas.oid = defaclnamespace,
           aclexplode(defaclacl) as item
     where defaclnamespace = 0 or schemas.oid is not null
)
select 'schema' as kind, quote_ident(nspname) as object, format('owned by %s', name) as definition, true as serious
  from schemas join names on names.oid = nspowner
union all
select 'relation', object,
       format('%s owned by %s, row-level security %s%s%s', relkind, name,
              case when relrowsecurity then 'on' else 'off' end, case when relforcerowsecurity then ' and forced' end,
              ' with ' || array_to_string(reloptions, ', ')), true
  from relations join names on names.oid = relowner
union all
select 'column', format('%s.%I', object, attname),
       concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
                 'collate ' || (select collname from pg_collation where pg_collation.oid = attcollation),
                 'identity ' || nullif(attidentity::text, ''), 'generated ' || nullif(attgenerated::text, ''),
                 'default ' || pg_get_expr(adbin, adrelid),
                 'statistics ' || nullif(attstattarget, -1)::text), false
  from relations
  join pg_attribute on attrelid = relations.oid and attnum > 0 and not attisdropped
  left join pg_attrdef on adrelid = attrelid and adnum = attnum
union all
select 'constraint', format('%I on %s', conname, object),
       pg_get_constraintdef(pg_constraint.oid) || case when convalidated then '' else ' not valid' end, false
  from relations join pg_constraint on conrelid = relations.oid
union all
select 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || case when indisvalid then '' else ' invalid' end, false
  from relations join pg_index on indrelid = relations.oid
union all
select 'trigger', format('%I on %s', tgname, object), pg_get_triggerdef(pg_trigger.oid) || ' enabled ' || tgenabled::text, true
  from relations join pg_trigger on tgrelid = relations.oid where not tgisinternal
union all
select 'rule', format('%I on %s', rulename, object), pg_get_ruledef(pg_rewrite.oid), true
  from relations join pg_rewrite on ev_class = relations.oid
union all
select 'policy', format('%I on %s', polname, object),
       concat_ws(' ', case when polpermissive then 'permissive' else 'restrictive' end, 'for', polcmd::text, 'to',
                 (select string_agg(name, ', ' order by name) from names where names.oid = any (polroles)),
                 'using ' || pg_get_expr(polqual, polrelid), 'with check ' || pg_get_expr(polwithcheck, polrelid)), true
  from relations join pg_policy on polrelid = relations.oid
 -- What app_private.admit_owner makes depends on who the owner is, and so on the server.
 where not (polname = 'all_owner' and polroles = array[relowner]
            and pg_get_expr(polqual, polrelid) = format('( SELECT pg_has_role(SESSION_USER, %L::name, ''member''::text) AS pg_has_role)', pg_get_userbyid(relowner)))
union all
select 'function', pg_proc.oid::regprocedure::text,
       format('owned by %s: %s', name, case when prokind = 'a' then prosrc else pg_get_functiondef(pg_proc.oid) end), true
  from pg_proc join schemas on schemas.oid = pronamespace join names on names.oid = proowner
union all
select 'type', format('%I.%I', nspname, typname),
       concat_ws(' ', typtype::text, format_type(nullif(typbasetype, 0), typtypmod),
                 (select string_agg(enumlabel, ', ' order by enumsortorder) from pg_enum where enumtypid = pg_type.oid)), false
  from pg_type join schemas on schemas.oid = typnamespace where typtype in ('d', 'e', 'r')
union all
select 'grant', format('%s on %s to %s', lower(privilege), object, name),
       concat_ws(' ', case when count(attname) > 0 then format('(%s)', string_agg(attname, ', ' order by attname)) end,
                 case when bool_or(attname is null) then 'the whole' end, case when bool_or(is_grantable) then 'with grant option' end), true
  from grants join names on names.oid = grantee
 where grantee <> owner
 group by privilege, object, name
