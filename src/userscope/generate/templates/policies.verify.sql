-- Verify §{policies}:§{table} on pg

begin;

set local search_path = pg_catalog, pg_temp;

do $$
declare
    found text;
begin
    select string_agg(concat_ws(' ', polname, polcmd, case when not polpermissive then 'restrictive' end, polroles::regrole[],
                                pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), '; ' order by polname)
      into found
      from pg_policy
     where polrelid = 'app.§{table}'::regclass
       and polroles && array[0, 'app_user'::regrole, 'app_auth'::regrole]::oid[];
    if found is distinct from replace(
        'delete_own d {app_user} OWN; insert_own a {app_user} OWN; select_own r {app_user} OWN; update_own w {app_user} OWN OWN',
        'OWN', '(owner_id = ( SELECT app.current_user_id() AS current_user_id))'
    ) then
        raise exception 'the policies of app.§{table} are not as they were deployed' using detail = coalesce(found, 'None.');
    end if;
    select string_agg(fact, '; ' order by fact)
      into found
      from (
          select case grantee when 0 then 'public' else grantee::regrole::text end || ' ' || lower(privilege_type) ||
                 case when is_grantable then ' with grant option' else '' end ||
                 coalesce(' (' || string_agg(attname, ', ' order by attnum) || ')', '') as fact
            from (
                select item.*, null::name as attname, null::smallint as attnum
                  from pg_class, aclexplode(relacl) as item
                 where oid = 'app.§{table}'::regclass
                union all
                select item.*, attname, attnum
                  from pg_attribute, aclexplode(attacl) as item
                 where attrelid = 'app.§{table}'::regclass
            ) as granted
           where grantee in (0, 'app_user'::regrole, 'app_auth'::regrole)
           group by grantee, privilege_type, is_grantable, attname is null
      ) as facts;
    if found is distinct from
        'app_user delete; '
        'app_user insert (id, §{written}); '
        'app_user select (§{every}); '
        'app_user update (§{written})'
    then
        raise exception 'the grants on app.§{table} are not as they were deployed' using detail = coalesce(found, 'None.');
    end if;
end
$$;

rollback;
