-- How would PostgreSQL answer an example, as the role that the matrix tells of? What is asked stands in a setting, and
-- statements with their plans take its place: one trip. Nothing is executed.
do $$
declare
    asked jsonb;
    example text;
    line text;
    plan text;
    told jsonb = '[]';
begin
    for asked in select value from jsonb_array_elements(current_setting('userscope.examples')::jsonb) loop
        select case asked ->> 'command'
               when 'SELECT' then format('select %s from %s', string_agg(quote_ident(name), ', '), asked ->> 'object')
               when 'UPDATE' then format('update %s set %s = default', asked ->> 'object', quote_ident(min(name)))
               else format('delete from %s', asked ->> 'object') end
          into example
          from jsonb_array_elements_text(asked -> 'columns') as name;
        plan = '';
        begin
            perform set_config('role', asked ->> 'role', true);
            for line in execute 'explain (costs off) ' || example loop
                plan = plan || line || chr(10);
            end loop;
            perform set_config('role', 'none', true);
        exception when others then
            plan = format('None: %s.', sqlerrm);
        end;
        told = told || jsonb_build_array(jsonb_build_array(example, rtrim(plan, chr(10))));
    end loop;
    perform set_config('userscope.examples', told::text, true);
end
$$
