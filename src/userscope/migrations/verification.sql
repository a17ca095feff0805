-- Functions of the names in $1 that verify scripts may call, with what decides what they do.
select format('%s(%s)', proname, pg_catalog.pg_get_function_arguments(pg_proc.oid)) as function,
       prosrc as body,
       concat_ws(' ', 'language', lanname,
                 case provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end, 'parallel',
                 case proparallel when 's' then 'safe' when 'r' then 'restricted' else 'unsafe' end, 'security',
                 case when prosecdef then 'definer' else 'invoker' end,
                 'set ' || array_to_string(proconfig, ' set ')) as attributes
  from pg_catalog.pg_proc
  join pg_catalog.pg_language on pg_language.oid = prolang
 where pronamespace = pg_catalog.to_regnamespace('app_private') and proname = any ($1::text[])
 order by 1
