
select app_private.verify_fence('§{schema}:§{table}', 'app_fenced.§{table}', '§{key}');

select app_private.verify_table('§{schema}:§{table}', 'app.§{table}', $$
    view of app_gate, {security_barrier=true}: SELECT §{every} FROM app_fenced.§{table} OFFSET 0;
§{view_facts}
    CREATE TRIGGER write INSTEAD OF INSERT OR DELETE OR UPDATE ON app.§{table} FOR EACH ROW EXECUTE FUNCTION app_fenced.write_§{table}()
$$);

select app_private.verify_function('§{schema}:§{table}', 'app_fenced.write_§{table}()', $$
    owned by app_gate
    plpgsql volatile security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 §{write_md5}
$$);

-- A trigger asks for no right to its function: nobody has one.
select app_private.verify_execution('§{schema}:§{table}', 'app_fenced.write_§{table}()', '');

select app_private.verify_function('§{schema}:§{table}', 'app.§{table}_by_id(uuid)', $$
    owned by app_gate
    sql stable security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 §{by_id_md5}
$$);

select app_private.verify_function('§{schema}:§{table}', 'app.§{table}_page(integer, timestamptz, uuid)', $$
    owned by app_gate
    sql stable security definer {"search_path=pg_catalog, pg_temp"}
    body with md5 §{page_md5}
$$);
