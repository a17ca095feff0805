-- Revert schema:app from pg
--
-- The roles stay: they belong to the whole server, and logins may be members of them.

begin;

do $$ begin
    execute format('grant temporary on database %I to public', current_database());
end $$;

drop function app_private.verify_role(name);
drop function app_private.verify_fence(text, regclass, text);
drop function app_private.verify_execution(text, regprocedure, text);
drop function app_private.verify_function(text, regprocedure, text);
drop function app_private.verify_access(text, regclass, text);
drop function app_private.verify_table(text, regclass, text);
drop function app_private.verify(text, text, text, text[], boolean);
drop function app_private.become(name, boolean);
drop function app.touch();
drop schema app_private;
drop schema app_fenced;
drop schema app;

commit;
