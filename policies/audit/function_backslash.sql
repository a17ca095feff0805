-- Which functions can a session make mean something else, for itself and for whoever borrows its connection next?
select 'warning' as level, format('function %s', pg_proc.oid::regprocedure) as object,
       'a function has a backslash in its body' as finding,
       'With standard_conforming_strings off, its first call in a connection reads it as an escape, and later ones keep that, after DISCARD ALL too.' as detail,
       format('alter function %s set standard_conforming_strings = on, or write it without one, as [0-9] for a digit', pg_proc.oid::regprocedure) as cure
  from pg_proc
  join schemas on schemas.oid = pronamespace
  join pg_language on pg_language.oid = prolang
 where lanname in ('plpgsql', 'sql')
   and strpos(prosrc, chr(92)) > 0
   and not coalesce('standard_conforming_strings=on' = any (proconfig), false)
 order by 2;
