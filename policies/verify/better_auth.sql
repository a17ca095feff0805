-- Verify policies:better_auth on pg
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
        ('app.accounts: app_auth may delete'),
        ('app.accounts: app_auth may insert (user_id, account_id, provider_id, access_token, refresh_token, ' ||
         'id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at)'),
        ('app.accounts: app_auth may select (id, user_id, account_id, provider_id, access_token, ' ||
         'refresh_token, id_token, access_token_expires_at, refresh_token_expires_at, scope, password, created_at, updated_at)'),
        ('app.accounts: app_auth may update (provider_id, access_token, refresh_token, id_token, ' ||
         'access_token_expires_at, refresh_token_expires_at, scope, password, updated_at)'),
        ('app.accounts: permissive policy delete_auth for delete to {app_auth} using true'),
        ('app.accounts: permissive policy insert_auth for insert to {app_auth} check true'),
        ('app.accounts: permissive policy select_auth for select to {app_auth} using true'),
        ('app.accounts: permissive policy update_auth for update to {app_auth} using true check true'),
        ('app.jwks: app_auth may insert (public_key, private_key, alg, crv, created_at, expires_at)'),
        ('app.jwks: app_auth may select (id, public_key, private_key, alg, crv, created_at, expires_at)'),
        ('app.jwks: permissive policy insert_auth for insert to {app_auth} check true'),
        ('app.jwks: permissive policy select_auth for select to {app_auth} using true'),
        ('app.sessions: app_auth may delete'),
        ('app.sessions: app_auth may insert (user_id, token, expires_at, ip_address, user_agent, created_at, ' ||
         'updated_at)'),
        ('app.sessions: app_auth may select (id, user_id, token, expires_at, ip_address, user_agent, ' ||
         'created_at, updated_at)'),
        ('app.sessions: app_auth may update (expires_at, updated_at)'),
        ('app.sessions: permissive policy delete_auth for delete to {app_auth} using true'),
        ('app.sessions: permissive policy insert_auth for insert to {app_auth} check true'),
        ('app.sessions: permissive policy select_auth for select to {app_auth} using true'),
        ('app.sessions: permissive policy update_auth for update to {app_auth} using true check true'),
        ('app.verifications: app_auth may delete'),
        ('app.verifications: app_auth may insert (identifier, value, expires_at, created_at, updated_at)'),
        ('app.verifications: app_auth may select (id, identifier, value, expires_at, created_at, updated_at)'),
        ('app.verifications: permissive policy delete_auth for delete to {app_auth} using true'),
        ('app.verifications: permissive policy insert_auth for insert to {app_auth} check true'),
        ('app.verifications: permissive policy select_auth for select to {app_auth} using true')
    ),
    tables as (select unnest(array['app.sessions', 'app.accounts', 'app.verifications', 'app.jwks']::regclass[]) as oid),
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
        raise exception 'policies:better_auth is not as it was deployed' using
            detail = concat_ws(' ', 'Missing: ' || missing || '.', 'Beyond: ' || beyond || '.');
    end if;
end
$$;

rollback;
