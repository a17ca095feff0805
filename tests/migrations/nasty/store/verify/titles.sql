begin;
do $$
begin
    if not exists (
        select from pg_index where indexrelid = 'nasty.notes_title_idx'::regclass and indisvalid
    ) then
        raise exception 'there is no valid index on titles';
    end if;
end
$$;
rollback;
