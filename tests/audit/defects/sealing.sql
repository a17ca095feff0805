-- error | app_private.sealing | nothing says whether a seal is required
delete from app_private.sealing;

-- error | app_private.seal_keys | a table of sealing is missing
drop table app_private.seal_keys;

-- error | app_private.seal_keys | a table of sealing is forced
alter table app_private.seal_keys force row level security;

-- error | app_private.sealing | a table of sealing is not under row-level security
alter table app_private.sealing disable row level security;

-- error | app_private.sealing | its owner is not the identity function's
create role else_one;
alter table app_private.sealing owner to else_one;
