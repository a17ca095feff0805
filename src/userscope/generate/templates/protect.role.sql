
do §{quote}
begin
    if to_regrole(§{role_literal}) is null then
        create role §{role} nologin;
    end if;
exception
    when duplicate_object or unique_violation then null;
end
§{quote};
