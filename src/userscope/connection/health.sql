-- One row about schemas app and app_fenced: what must be there and is not, and tables whose policies do not bind everybody.
select array(
           select needed
             from unnest(array['account', 'todos', 'users']) as needed
            where not exists (
                      select from pg_class where relnamespace = to_regnamespace('app') and relname = needed)
            order by needed) as missing,
       array(
           select format('%s.%I', relnamespace::regnamespace, relname)
             from pg_class
            where relnamespace in (to_regnamespace('app'), to_regnamespace('app_fenced'))
              and relkind in ('r', 'p')
              and not (relrowsecurity and relforcerowsecurity)
            order by 1) as unprotected
