-- What this database was told to audit, null where nothing was said, and whose functions it has.
select current_setting('userscope.audit_service_roles', true) as services,
       current_setting('userscope.audit_provider_roles', true) as providers,
       current_setting('userscope.audit_identity', true) as identity,
       current_setting('userscope.audit_definer_functions', true) as accepted,
       current_setting('userscope.audit_schemas', true) as schemas,
       to_regprocedure('app.current_user_key()') is not null as userscope,
       to_regprocedure('auth.uid()') is not null and to_regrole('authenticated') is not null as supabase,
       to_regprocedure('auth.user_id()') is not null as neon;
