-- error | app_private.sealing | nothing says whether a seal is required
delete from app_private.sealing;

-- error | app_private.seal_keys | a table of sealing is missing
drop table app_private.seal_keys cascade;

-- error | app_private.seal_keys | a table of sealing is forced
alter table app_private.seal_keys force row level security;

-- error | app_private.sealing | a table of sealing is not under row-level security
alter table app_private.sealing disable row level security;

-- error | app_private.sealing | its owner is not the identity function's
create role else_one;
alter table app_private.sealing owner to else_one;

-- error | app_private.sealing | what it says is not in effect
alter table app_private.sealing disable trigger decide;
update app_private.sealing set required = true;

-- error | app_private.sealing | its trigger is not always enabled
alter table app_private.sealing disable trigger decide;

-- error | app_private.sealing | its trigger is not always enabled
alter table app_private.sealing enable trigger decide;
