-- What could be wrong with deploy/identity.sql: cut out of a helper's text, or changed in its row.
with cuts (operator, cut, put, promise) as (
    values ('ignores retirement', ' and keys\.retired_at is null', '', 'a retired key seals nothing'),
           ('ignores expiry', 'expiry::bigint < extract\(epoch from now\(\)\)', 'false', 'an expired seal is refused'),
           ('ignores the seal', 'is distinct from\s+sha256\(', 'is null and null = sha256(', 'a seal is checked'),
           ('accepts unsealed', 'not required then', 'required notnull then', 'where a seal is required none is not enough'),
           ('falls open', 'not required then', 'required is not true then', 'no identity counts where sealing is unknown'),
           ('accepts any form of seal', 'if seal !~ ''[^'']+'' then', 'if false then', 'a malformed seal is refused as such'),
           ('says unsealed when lost', ', true\)(?=\s*$)', ', false)', 'where sealing cannot be read it is required')
)
select operator, name as target, array[regexp_replace(definition, cut, put, 'g')] as ddl, promise,
       'call the helper with just that identity, and compare' as idea
  from cuts join functions on definition ~ cut and (definer or in_policy)
 union all
select operator, name, array[ddl], 'whether seals are required is said aloud',
       'ask app.seal_required(), and act with and without a seal'
  from tables cross join (
           values ('row deleted', 'delete from app_private.sealing'),
                  ('turned round', 'update app_private.sealing set required = not required')
       ) as change (operator, ddl)
 where name = 'app_private.sealing'
