-- Verify §{schema}:§{change} on pg

begin;

select app_private.verify_table('§{schema}:§{change}', §{literal}, §{quote}
    row-level security enabled and forced
§{facts}
§{quote});

rollback;
