-- One row about schema app: tables that must be there and are not, and those whose policies do not bind everybody.
select array(
           select needed
             from unnest(array['users', 'todos']) as needed
            where not exists (
                      select from pg_class where relnamespace = to_regnamespace('app') and relname = needed)
            order by needed) as missing,
       array(
           select relname::text
             from pg_class
            where relnamespace = to_regnamespace('app')
              and relkind in ('r', 'p')
              and not (relrowsecurity and relforcerowsecurity)
            order by relname) as unprotected
