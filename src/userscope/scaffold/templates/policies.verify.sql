-- Verify §{policies}:§{table} on pg

begin;

set local search_path = pg_catalog, pg_temp;

do $$
declare
    found text;
begin
    select string_agg(concat_ws(' ', polname, polcmd, polroles::regrole[],
                                pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)), '; ' order by polname)
      into found
      from pg_policy
     where polrelid = 'app.§{table}'::regclass;
    if found is distinct from replace(
        'delete_own d {app_user} OWN; insert_own a {app_user} OWN; select_own r {app_user} OWN; update_own w {app_user} OWN OWN',
        'OWN', '(owner_id = ( SELECT app.current_user_id() AS current_user_id))'
    ) then
        raise exception 'the policies of app.§{table} are not as they were deployed' using detail = coalesce(found, 'None.');
    end if;
    if has_column_privilege('app_user', 'app.§{table}', 'owner_id', 'insert, update') then
        raise exception 'app_user may say whose §{a_one} is';
    end if;
    if has_table_privilege('app_user', 'app.§{table}', 'select, insert, update, truncate, references, trigger') then
        raise exception 'app_user has a privilege on the whole of app.§{table}';
    end if;
end
$$;

rollback;
