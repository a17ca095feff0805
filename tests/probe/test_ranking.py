"""With --roles-order a third person in Alice's own tenant is there, and who may less does not overrule them."""

import pytest

from tests.probe.conftest import Probe
from tests.probe.test_shapes import found
from userscope.probe.run import Options

SHOPS = """
create table public.shops (id uuid primary key default gen_random_uuid(), name text);
create table public.staff (
    shop uuid references public.shops, person uuid references auth.users, rank text not null default 'clerk'
        check (rank in ('clerk', 'keeper', 'chief')),
    primary key (shop, person)
);
alter table public.shops enable row level security;
alter table public.staff enable row level security;
create function public.rank_in(house uuid) returns text language sql stable security definer set search_path = ''
    as 'select s.rank from public.staff as s where s.shop = house and s.person = auth.uid()';
grant execute on function public.rank_in(uuid) to authenticated;
create policy r on public.shops for select to authenticated using (public.rank_in(id) is not null);
create policy r on public.staff for select to authenticated using (public.rank_in(shop) is not null);
create policy u on public.staff for update to authenticated using ({may});
create policy d on public.staff for delete to authenticated using ({may});
grant select on public.shops to authenticated;
grant select, update (rank), delete on public.staff to authenticated;
"""


def test_ranks(probe: Probe) -> None:
    """A keeper who makes themselves chief, and removes the chief, is shown; where only the chief may, nothing is."""
    options = Options(order=("clerk", "keeper", "chief"))
    wrong = probe(SHOPS.format(may="public.rank_in(shop) in ('keeper', 'chief')"), options)
    told = [each for each in wrong.findings if each.rule == "overrules"]
    assert {each.sentence.partition(" as ")[2] for each in told} == {
        "keeper makes themselves chief",
        "keeper makes a third person, who is chief, keeper",
        "keeper removes a third person, who is chief",
    }
    assert all(each.level == "error" and each.shown_again and each.object == "public.staff" for each in told)
    right = probe(SHOPS.format(may="public.rank_in(shop) = 'chief'"), options)
    assert found(right) == set()
    assert right.coverage.too_little == []
    assert not [said for said in right.coverage.not_tried if "rank" in said or "third" in said]


@pytest.mark.breadth
def test_no_ranks(probe: Probe) -> None:
    """Where no column holds the ranks that were given, it is said that nothing was tried."""
    result = probe("", Options(order=("clerk", "keeper")))
    said = "no column beside one that names a person holds two of the ranks clerk, keeper"
    assert result.coverage.not_tried == [said]
