-- Which functions that run with their owner's rights look names up where the caller says?
select 'error' as level, format('function %s', pg_proc.oid::regprocedure) as object,
       'a definer function has no pinned search_path' as finding,
       'Its caller chooses what its names mean; pg_temp must be named, and last.' as detail,
       format('alter function %s set search_path = pg_catalog, pg_temp', pg_proc.oid::regprocedure) as cure
  from pg_proc
  join schemas on schemas.oid = pronamespace
 where prosecdef
   and not exists (select from unnest(proconfig) as setting where setting ~ '^search_path=(.*[ ,])?"?pg_temp"?$')
 order by 2;
