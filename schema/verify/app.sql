-- Verify schema:app on pg

begin;

set local search_path = pg_catalog, pg_temp;

do $$
declare
    service text;
begin
    foreach service in array array['app_user', 'app_auth', 'app_gate'] loop
        perform app_private.verify_role(service);

        -- The effect, not the statement: revoking by anyone but the database's owner is no more than a warning.
        if has_database_privilege(service, current_database(), 'temporary') then
            raise exception 'role "%" may create temporary objects in database "%"', service, current_database() using
                detail = 'A temporary object can shadow another, or wait in a pooled session for the next user.',
                hint = format('The database''s owner runs: revoke temporary on database %I from public.', current_database());
        end if;

        if has_schema_privilege(service, 'app', 'create')
            or has_schema_privilege(service, 'app_fenced', case service when 'app_gate' then 'create' else 'usage, create' end)
            or has_schema_privilege(service, 'app_private', 'usage, create')
        then
            raise exception 'role "%" has more than USAGE on schema app, or something on schema app_private or app_fenced',
                service;
        end if;
    end loop;

    if exists (
        select from pg_namespace, aclexplode(nspacl) as item
         where nspname in ('app', 'app_fenced', 'app_private') and item.grantee = 0
    ) then
        raise exception 'PUBLIC has a privilege on schema app, app_fenced or app_private';
    end if;

    if not exists (
        select from pg_proc
         where oid = 'app.touch()'::regprocedure and not prosecdef and prorettype = 'trigger'::regtype
           and proconfig = array['search_path=pg_catalog, pg_temp']
           and proowner = (select nspowner from pg_namespace where pg_namespace.oid = pronamespace)
    ) or has_function_privilege('app_user', 'app.touch()', 'execute') then
        raise exception 'function app.touch() is not as it was deployed';
    end if;

    if exists (
        select from pg_proc
         where pronamespace = 'app_private'::regnamespace
           and (has_function_privilege('app_user', oid, 'execute') or has_function_privilege('app_auth', oid, 'execute'))
    ) then
        raise exception 'a function of schema app_private is granted to someone';
    end if;
end
$$;

rollback;
