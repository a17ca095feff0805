-- Verify policies:access on pg
--
-- The effect for each role, PUBLIC's share included.

begin;

set local search_path = pg_catalog, pg_temp;

do $$
declare
    wrong text;
begin
    select string_agg(format('%s %s %s on %s', role, case when expected then 'lacks' else 'has' end, privilege, object), '; ')
      into wrong
      from (values
          ('app_user', 'usage',   'app',                          true),
          ('app_auth', 'usage',   'app',                          true),
          ('app_gate', 'usage',   'app',                          true),
          ('app_user', 'usage',   'app_fenced',                   false),
          ('app_auth', 'usage',   'app_fenced',                   false),
          ('app_gate', 'usage',   'app_fenced',                   true),
          ('app_user', 'usage',   'app_private',                  false),
          ('app_auth', 'usage',   'app_private',                  false),
          ('app_gate', 'usage',   'app_private',                  false),
          ('app_user', 'execute', 'app.set_user_id(text, text)',  true),
          ('app_auth', 'execute', 'app.set_user_id(text, text)',  false),
          ('app_gate', 'execute', 'app.set_user_id(text, text)',  false),
          ('app_user', 'execute', 'app.current_user_key()',       true),
          ('app_auth', 'execute', 'app.current_user_key()',       false),
          ('app_gate', 'execute', 'app.current_user_key()',       true),
          ('app_user', 'execute', 'app.current_user_id()',        true),
          ('app_auth', 'execute', 'app.current_user_id()',        false),
          ('app_gate', 'execute', 'app.current_user_id()',        true),
          ('app_user', 'execute', 'app.seal_required()',          true),
          ('app_auth', 'execute', 'app.seal_required()',          true),
          ('app_gate', 'execute', 'app.seal_required()',          false),
          ('app_user', 'execute', 'app.touch()',                  false),
          ('app_auth', 'execute', 'app.touch()',                  false),
          ('app_gate', 'execute', 'app.touch()',                  false)
      ) as wanted (role, privilege, object, expected)
     where expected <> case privilege
                           when 'usage' then has_schema_privilege(role, object, privilege)
                           else has_function_privilege(role, object, privilege)
                       end;
    if wrong is not null then
        raise exception 'policies:access is not as it was deployed' using detail = wrong || '.';
    end if;
end
$$;

rollback;
