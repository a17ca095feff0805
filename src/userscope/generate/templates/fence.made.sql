
create index §{table}_§{key}_created_at_id_idx on app_fenced.§{table} (§{key}, created_at, id);
comment on index app_fenced.§{table}_§{key}_created_at_id_idx is 'A page of one §{whose}''s §{many}, the newest first.';

-- The barrier keeps estimates from the table's statistics, offset 0 every condition of the reader's from its rows.
create view app.§{table} with (security_barrier) as
    select §{every}
      from app_fenced.§{table}
    offset 0;
alter view app.§{table}
    alter id set default gen_random_uuid()§{defaults};
comment on view app.§{table} is '§{Own} §{many}: fenced, so that nobody learns of another''s even by guessing.';

-- What is written was computed from the row as the statement saw it: it counts only if the row is still that.
create function app_fenced.write_§{table}() returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into app_fenced.§{table} as t (id, §{written})
        values (new.id, §{new_written})
        returning §{t_every} into new;
        return new;
    elsif tg_op = 'UPDATE' then
        update app_fenced.§{table} as t
           set §{set_written}
         where t.§{key} = old.§{key} and t.id = old.id
           and (§{t_seen})
               is not distinct from (§{old_seen})
        returning §{t_every} into new;
        if found then
            return new;
        end if;
    else
        delete from app_fenced.§{table} as t
         where t.§{key} = old.§{key} and t.id = old.id
           and (§{t_seen})
               is not distinct from (§{old_seen});
        if found then
            return old;
        end if;
    end if;
    if exists (select from app_fenced.§{table} as t where t.§{key} = old.§{key} and t.id = old.id§{still}) then
        raise exception 'could not serialize access due to concurrent update' using errcode = '40001';
    end if;
    return null;
end
$$;
comment on function app_fenced.write_§{table}() is
    'Trigger: writes §{many} for §{writers}. Raises 40001 where a row was changed since the statement saw it.';

create trigger write instead of insert or update or delete on app.§{table}
    for each row execute function app_fenced.write_§{table}();
comment on trigger write on app.§{table} is 'Writes to the table behind the fence.';

-- A view reads all of one's own rows whatever is asked of it. These read what they are asked for: of one's own, as the
-- policy says that binds their owner. A body without quotes is read once, and not with every call.
create function app.§{table}_by_id(wanted uuid) returns setof app.§{table}
    language sql stable parallel unsafe security definer rows 1
    set search_path = pg_catalog, pg_temp
begin atomic
    select §{t_every}
      from app_fenced.§{table} as t
     where t.id = $1;
end;
comment on function app.§{table}_by_id(uuid) is '§{Own} §{one} of this id, if there is one.';

create function app.§{table}_page(
    size integer,
    before timestamptz default 'infinity',
    before_id uuid default 'ffffffff-ffff-ffff-ffff-ffffffffffff'
) returns setof app.§{table}
    language sql stable parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
begin atomic
    select §{t_every}
      from app_fenced.§{table} as t
     where (t.created_at, t.id) < ($2, $3)
     order by t.created_at desc, t.id desc
     limit $1;
end;
comment on function app.§{table}_page(integer, timestamptz, uuid) is
    '§{Own} §{many}, the newest first: as many as asked for, from behind the given one.';

revoke all on function
    app_fenced.write_§{table}(), app.§{table}_by_id(uuid), app.§{table}_page(integer, timestamptz, uuid)
  from public;

-- To the role that the table's policies bind. It may make nothing else in the schemas.
grant create on schema app, app_fenced to app_gate;
alter view app.§{table} owner to app_gate;
alter function app_fenced.write_§{table}() owner to app_gate;
alter function app.§{table}_by_id(uuid) owner to app_gate;
alter function app.§{table}_page(integer, timestamptz, uuid) owner to app_gate;
revoke create on schema app, app_fenced from app_gate;
