-- Verify policies:todos on pg
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
        ('app.todos: app_user may delete'),
        ('app.todos: app_user may insert (id, title, description, completed, due_at)'),
        ('app.todos: app_user may select (owner_id, id, title, description, completed, due_at, created_at, updated_at)'),
        ('app.todos: app_user may update (title, description, completed, due_at)'),
        ('app.todos: permissive policy delete_own for delete to {app_user}' ||
         ' using (owner_id = ( SELECT app.current_user_id() AS current_user_id))'),
        ('app.todos: permissive policy insert_own for insert to {app_user}' ||
         ' check (owner_id = ( SELECT app.current_user_id() AS current_user_id))'),
        ('app.todos: permissive policy select_own for select to {app_user}' ||
         ' using (owner_id = ( SELECT app.current_user_id() AS current_user_id))'),
        ('app.todos: permissive policy update_own for update to {app_user}' ||
         ' using (owner_id = ( SELECT app.current_user_id() AS current_user_id))' ||
         ' check (owner_id = ( SELECT app.current_user_id() AS current_user_id))')
    ),
    tables as (select unnest(array['app.todos']::regclass[]) as oid),
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
        raise exception 'policies:todos is not as it was deployed' using
            detail = concat_ws(' ', 'Missing: ' || missing || '.', 'Beyond: ' || beyond || '.');
    end if;
end
$$;

rollback;
