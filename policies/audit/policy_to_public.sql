-- Which policies let everybody through? Every role that is ever made would be among them.
select 'error' as level, format('policy %I on %I.%I', polname, nspname, relname) as object,
       'a policy is for PUBLIC' as finding,
       'It applies to every role, also to those that are not made yet.' as detail,
       format('alter policy %I on %I.%I to …', polname, nspname, relname) as cure
  from pg_policy
  join pg_class on pg_class.oid = polrelid
  join audited on audited.oid = relnamespace
 where polpermissive and 0 = any (polroles)
 order by 2;
