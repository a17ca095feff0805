-- Verify §{schema}:§{table} on pg

begin;

select app_private.verify_table('§{schema}:§{table}', '§{home}.§{table}', $$
    row-level security enabled and forced, owned by the owner of the schema
§{facts}
    constraint §{table}_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES app.organizations(id) ON DELETE CASCADE
    constraint §{table}_pkey PRIMARY KEY (organization_id, id)
    CREATE TRIGGER touch BEFORE UPDATE ON §{home}.§{table} FOR EACH ROW EXECUTE FUNCTION app.touch()
§{fence_index}$$);
§{fence_verified}
rollback;
