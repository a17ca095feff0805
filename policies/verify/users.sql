-- Verify policies:users on pg
--
-- Everything that app_user, app_auth and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

-- Definitions come out alike whatever the session's own path is.
set local search_path = pg_catalog, pg_temp;

do $$
declare
    missing text;
    beyond  text;
begin
    with wanted (fact) as (values
        ('app.users: app_auth may delete'),
        ('app.users: app_auth may insert (id, name, email, email_verified, image, username, display_username, ' ||
         'created_at, updated_at)'),
        ('app.users: app_auth may select (id, name, email, email_verified, image, username, display_username, ' ||
         'created_at, updated_at)'),
        ('app.users: app_auth may update (name, email, email_verified, image, username, display_username, updated_at)'),
        ('app.users: app_user may select (id, name, email, email_verified, image, username, display_username, ' ||
         'created_at, updated_at)'),
        ('app.users: app_user may update (name, image)'),
        ('app.users: permissive policy delete_auth for delete to {app_auth} using true'),
        ('app.users: permissive policy insert_auth for insert to {app_auth} check true'),
        ('app.users: permissive policy select_auth for select to {app_auth} using true'),
        ('app.users: permissive policy select_own for select to {app_user}' ||
         ' using (id = ( SELECT app.current_user_id() AS current_user_id))'),
        ('app.users: permissive policy update_auth for update to {app_auth} using true check true'),
        ('app.users: permissive policy update_own for update to {app_user}' ||
         ' using (id = ( SELECT app.current_user_id() AS current_user_id))' ||
         ' check (id = ( SELECT app.current_user_id() AS current_user_id))')
    ),
    tables as (select unnest(array['app.users']::regclass[]) as oid),
    found (fact) as (
        select concat_ws(' ',
                   format('%s: %s policy %s for %s to %s', polrelid::regclass,
                          case when polpermissive then 'permissive' else 'restrictive' end, polname,
                          case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                      when 'd' then 'delete' else 'all' end,
                          polroles::regrole[]),
                   'using ' || pg_get_expr(polqual, polrelid),
                   'check ' || pg_get_expr(polwithcheck, polrelid))
          from pg_policy
         where polrelid in (select oid from tables)
           and polroles && array[0, 'app_user'::regrole, 'app_auth'::regrole]::oid[]
        union all
        select format('%s: %s may %s%s%s', relation::regclass,
                      case grantee when 0 then 'public' else grantee::regrole::text end, lower(privilege_type),
                      case when is_grantable then ' with grant option' end,
                      ' (' || string_agg(attname, ', ' order by attnum) || ')')
          from (
              select pg_class.oid as relation, item.*, null as attname, null as attnum
                from pg_class, aclexplode(relacl) as item
              union all
              select attrelid, item.*, attname, attnum
                from pg_attribute, aclexplode(attacl) as item
          ) as grants
         where relation in (select oid from tables) and grantee in (0, 'app_user'::regrole, 'app_auth'::regrole)
         group by relation, grantee, privilege_type, is_grantable, attname is null
    )
    select (select string_agg(fact, '; ') from (select fact from wanted except select fact from found) as gaps),
           (select string_agg(fact, '; ') from (select fact from found except select fact from wanted) as extras)
      into missing, beyond;
    if missing is not null or beyond is not null then
        raise exception 'policies:users is not as it was deployed' using
            detail = concat_ws(' ', 'Missing: ' || missing || '.', 'Beyond: ' || beyond || '.');
    end if;
end
$$;

rollback;
