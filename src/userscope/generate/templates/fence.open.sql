
select app_private.verify_access('§{policies}:§{table}', 'app.§{table}', $$
    app_user may delete
    app_user may insert (id, §{written})
    app_user may select (§{every})
    app_user may update (§{written})
$$);

select app_private.verify_execution('§{policies}:§{table}', 'app.§{table}_by_id(uuid)', 'app_user may execute');
select app_private.verify_execution('§{policies}:§{table}', 'app.§{table}_page(integer, timestamptz, uuid)', 'app_user may execute');
