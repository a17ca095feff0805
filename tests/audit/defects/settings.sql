-- error | userscope.audit_schemas | nothing to audit
set local userscope.audit_schemas = 'nowhere';

-- error | userscope.audit_schemas | names nothing that exists
set local userscope.audit_schemas = 'app, nowhere';

-- error | userscope.audit_private_schemas | names nothing that exists
set local userscope.audit_private_schemas = 'nowhere';

-- error | userscope.audit_service_roles | names nothing that exists
set local userscope.audit_service_roles = 'app_usr';

-- error | userscope.audit_service_roles | nobody to audit
set local userscope.audit_service_roles = 'none';

-- error | userscope.audit_provider_roles | names nothing that exists
set local userscope.audit_provider_roles = 'app_aut';

-- error | userscope.audit_identity | names nothing that exists
set local userscope.audit_identity = 'app.me()';

-- error | userscope.audit_definer_functions | names nothing that exists
set local userscope.audit_definer_functions = 'app.me()';

-- warning | schema elsewhere | is not audited
create schema elsewhere;
create table elsewhere.things (id int);
grant select (id) on elsewhere.things to app_user;
