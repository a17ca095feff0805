-- What could be wrong with deploy/identity.sql: cut out of a helper's text, or changed in its row.
with cuts (operator, cut, put, promise) as (
    values ('ignores retirement', '\(seal_keys\.retired_at IS NULL\) AND ', '', 'a retired key seals nothing'),
           ('ignores expiry', '>= EXTRACT\(epoch FROM now\(\)\)', 'IS NOT NULL', 'an expired seal is refused'),
           ('ignores the seal', '\(sha256\(convert_to\(current_setting\([^)]*\), [^)]*\)\) = ', '(null::bytea is distinct from ', 'a seal is checked'),
           ('accepts any seal', '(?<=function\$\sbegin\s+return case when current_setting\(''app\.user_seal'', true\)) <> ''''', ' is null', 'a wrong seal is refused where none is required'),
           ('accepts any form of seal', 'seal !~ ''[^'']+''', 'false', 'a malformed seal is refused as such'),
           ('ignores the row', '(?<=function\$\sbegin\s+return case when current_setting\(''app\.user_seal'', true\) <> '''') or coalesce\(\(select required from app_private\.sealing\), true\)', '', 'a seal is required where the row alone says so'),
           ('falls open', ', true\)(?=;)', ', false)', 'without a row a seal is required'),
           ('says unsealed when lost', ', true\)(?=\s*$)', ', false)', 'where sealing cannot be read it is required')
)
select operator, name as target, array[regexp_replace(definition, cut, put, 'g')] as ddl, promise,
       'call the helper with just that identity, and compare' as idea
  from cuts join functions on definition ~ cut and (definer or in_policy or name like 'app\_private.%')
 union all
select operator, name, ddl, 'whether seals are required is said aloud',
       'ask app.seal_required(), and act with and without a seal'
  from tables cross join (
           values ('row deleted', array['delete from app_private.sealing']),
                  ('turned round', array['update app_private.sealing set required = not required']),
                  ('not in effect', array['alter table app_private.sealing disable trigger decide',
                                          'update app_private.sealing set required = not required',
                                          'alter table app_private.sealing enable always trigger decide'])
       ) as change (operator, ddl)
 where name = 'app_private.sealing'
