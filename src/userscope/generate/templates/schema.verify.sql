-- Verify §{schema}:§{table} on pg

begin;

select app_private.verify_table('§{schema}:§{table}', '§{home}.§{table}', $$
    row-level security enabled and forced, owned by the owner of the schema
§{facts}
§{owner_fact}    constraint §{table}_pkey PRIMARY KEY (§{key}, id)
    CREATE TRIGGER touch BEFORE UPDATE ON §{home}.§{table} FOR EACH ROW EXECUTE FUNCTION app.touch()
§{fence_index}§{parent_facts}$$);
§{fence_verified}
rollback;
