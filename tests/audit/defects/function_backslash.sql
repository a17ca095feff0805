-- warning | function app.touch() | a function has a backslash in its body
create or replace function app.touch() returns trigger language plpgsql as
    $$ begin if new.title ~ '^\d' then raise exception 'no'; end if; return new; end $$;

-- warning | function app.is_number(text) | a function has a backslash in its body
create function app.is_number(value text) returns boolean language plpgsql set standard_conforming_strings = off as
    $$ begin return value ~ '^\d+$'; end $$;

-- warning | function app.is_number(text) | a function has a backslash in its body
create function app.is_number(value text) returns boolean language sql as $$ select value ~ '^\d+$' $$;
