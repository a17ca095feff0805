"""``--format html``: a page that loads nothing and runs nothing of the database's, and can be looked at anywhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.chromium import chromium as chromium
from tests.chromium import picture
from tests.cli.runner import Runner
from tests.clusters import Cluster, Database, cloned
from userscope.audit.baseline import Baseline, applied
from userscope.audit.examples import examples
from userscope.audit.render import RENDERERS, Occasion
from userscope.audit.run import audit

EVIL = "<script>document.title='evil'</script>"
HOLES = f"""
create schema shop;
grant usage on schema shop to app_user, app_auth;
create table shop."{EVIL}" (id int primary key, "</s><img src=x onerror=document.title='evil'>" text);
create table shop.orders (id int primary key, owner_id uuid not null, note text);
create table shop.prices (sku text primary key);
alter table shop."{EVIL}" enable row level security;
alter table shop.orders enable row level security;
alter table shop.prices enable row level security;
create policy "</script>{EVIL}" on shop."{EVIL}" for select to app_user using ('</td>{EVIL.replace("'", "''")}' <> '');
comment on policy "</script>{EVIL}" on shop."{EVIL}" is '<b>{EVIL.replace("'", "''")}</b>';
create policy own on shop.orders for select to app_user using (owner_id = (select app.current_user_id()));
create policy wall on shop.orders as restrictive for select to app_user using (id > 0);
create policy every_price on shop.prices for select to app_user using (true);
grant select on shop."{EVIL}", shop.prices to app_user;
grant select (id, owner_id) on shop.orders to app_user;
"""
CHANGE = """
alter policy own on shop.orders using (true);
revoke delete on app.todos from app_user;
grant select on shop.orders to app_auth;
"""
COLOURS = ("--ink", "--faint", "--error", "--warning", "--some", "--every", "--accepted", "--function", "--public")
BASELINE = """[[accepted]]
rule = "policy_open"
object = "policy every_price on shop.prices"
reason = "prices are for everybody"
by = "Ada"
"""


@pytest.fixture(scope="module")
def file(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a database with holes, after a migration, with a baseline."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "audit.toml").write_text(BASELINE, encoding="utf-8")
    with cloned(cluster) as holes:
        with holes.superuser_connection() as connection:
            connection.execute(f"alter database {holes.name} set userscope.audit_schemas = 'app, shop'".encode())
            connection.execute(HOLES.encode())
            before = audit(holes.url())
            connection.execute(CHANGE.encode())
        report = audit(holes.url())
        known = {found.rule for found in report.findings}
        report = applied(report, Baseline.read(folder / "audit.toml"), known=known, asked=known)
        shown = Occasion(database="shop", examples=examples(holes.url(), report), before=before)
    (folder / "audit.html").write_text(RENDERERS["html"](report, shown), encoding="utf-8")
    return folder / "audit.html"


@pytest.fixture
def page(chromium: Browser, file: Path) -> Iterator[Page]:
    """The page in a browser: it asks for nothing, and nothing in it fails."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    context.set_default_timeout(30_000)
    made = context.new_page()
    told: list[str] = []
    made.on("console", lambda message: told.append(message.text))
    made.on("pageerror", lambda error: told.append(str(error)))
    made.on("request", lambda request: told.append(request.url) if not request.url.startswith("file:") else None)
    made.goto(file.as_uri())
    yield made
    context.close()
    assert told == []


def tile(page: Page, start: str) -> Locator:
    """A sign of the picture, by how its name begins."""
    return page.locator("#picture").get_by_role("link", name=start)


def shown(page: Page) -> Locator:
    """What stands behind what was clicked."""
    return page.locator("#details article:target")


@pytest.mark.breadth
def test_nothing_of_the_database_is_markup(page: Page, file: Path) -> None:
    """A table, column, policy, condition and comment of script and tags are texts: they run and load nothing."""
    tile(page, f'app_user, SELECT on shop."{EVIL}"').click()
    told = shown(page).inner_text()
    for text in (f'shop."{EVIL}"', "</s><img src=x onerror=document.title='evil'>", f"<b>{EVIL}</b>", "'</td><script>"):
        assert text in told, text
    assert f'create policy "</script>{EVIL}" on shop."{EVIL}"' in told
    assert page.title() == "Who may do what in shop"
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, object, embed, b").count() == 0
    assert page.evaluate("document.querySelectorAll('[style], [onclick], [onerror], [onload]').length") == 0
    assert not re.search(
        r"https?://|//[a-z]+\.", re.sub("<pre>.*?</pre>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    )


@pytest.mark.breadth
def test_no_other_script(chromium: Browser, file: Path) -> None:
    """Were something of the database's markup after all, the page's own policy would run and load none of it."""
    text = file.read_text(encoding="utf-8")
    attack = "<script>document.title = 'evil'</script><img src='http://127.0.0.1:1/x' onerror='document.title = 1'>"
    for policy, title in ((True, "Who may do what in shop"), (False, "evil")):
        broken = file.with_name(f"broken-{policy}.html")
        kept = text if policy else re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
        broken.write_text(kept.replace("<footer>", f"{attack}<footer>"), encoding="utf-8")
        page = chromium.new_page()
        page.goto(broken.as_uri(), wait_until="domcontentloaded")
        assert page.title() in (title, title.replace("evil", "1")), "with the policy, and as a control without it"
        page.close()


@pytest.mark.breadth
def test_the_picture(page: Page) -> None:
    """Each sign tells which rows, and leads to condition, policy, plan and findings; Escape leads back."""
    picture(page, "audit")
    own = tile(page, "app_user, SELECT on app.todos: some rows: owner_id = (select app.current_user_id())")
    own.click()
    picture(page, "audit-details")
    expect(shown(page)).to_be_focused()
    for text in (
        *("owner_id = (select app.current_user_id())", "create policy select_own on app.todos"),
        *("A user sees their own todos.", "Index Scan", "select owner_id, id, title, "),
    ):
        expect(shown(page)).to_contain_text(text)
    page.keyboard.press("Escape")
    expect(shown(page)).to_have_count(0)
    expect(own).to_be_focused()
    tile(page, "app_user, SELECT on shop.orders: every row, public by design, error, changed").click()
    expect(shown(page)).to_contain_text("as restrictive")
    expect(shown(page)).to_contain_text("USING is always true")
    expect(shown(page).locator(".before")).to_contain_text("owner_id = (select app.current_user_id())")
    assert shown(page).locator(".columns s").all_inner_texts() == ["note"]
    shown(page).get_by_role("link", name="Close").click()
    expect(shown(page)).to_have_count(0)
    expect(tile(page, "app_user, SELECT on shop.prices: every row, public by design, accepted")).to_be_visible()
    expect(page.locator("#accepted")).to_contain_text("prices are for everybody")
    expect(page.locator("#findings")).not_to_contain_text("every_price on shop.prices: USING is always true")


@pytest.mark.breadth
def test_verdicts(page: Page) -> None:
    """Each of the four verdicts that occurs has a colour of its own, in the picture and in the legend, and words."""
    colours = {
        verdict: page.locator(f".legend .tile.{verdict}").evaluate("one => getComputedStyle(one).color")
        for verdict in ("tied", "public")
    }
    assert len(set(colours.values())) == len(colours)
    picture(page, "audit-verdicts")
    own = tile(page, "app_user, SELECT on app.todos")
    assert own.evaluate("one => getComputedStyle(one).color") == colours["tied"]
    own.click()
    expect(shown(page)).to_contain_text("The audit's verdict: tied to who asks.")


@pytest.mark.breadth
def test_the_difference(page: Page) -> None:
    """What has changed is marked in the picture and listed: gained, lost, otherwise; and what was found since."""
    changes = page.locator("#changes")
    assert [row.replace("\t", " ") for row in changes.locator("tbody tr").all_inner_texts()] == [
        "gained app_auth: SELECT on shop.orders not at all no row",
        "lost app_user: DELETE on app.todos owner_id = (select app.current_user_id()) not at all",
        "changed app_user: SELECT on shop.orders owner_id = (select app.current_user_id()) every row",
    ]
    expect(changes).to_contain_text("policy own on shop.orders: USING is always true")
    tile(page, "app_user, DELETE on app.todos: not any more, changed").click()
    expect(shown(page)).to_contain_text("This is not granted any more.")
    page.get_by_label("Show").select_option("what changed")
    assert page.locator("#picture tbody tr[data-name]:visible th").count() == 2
    page.get_by_label("Show").select_option("every table")
    page.get_by_label("Table", exact=True).fill("ORDERS")
    expect(page.locator("#shown")).to_have_text(re.compile("^1 of [0-9]+ tables$"))


@pytest.mark.breadth
def test_keys(page: Page) -> None:
    """By Tab one comes into the picture and out again; arrows go through it, Enter opens, Escape closes."""
    assert page.locator("#picture a.tile[tabindex='0']").count() == 1
    page.locator("#picture a.tile[tabindex='0']").focus()

    def focused() -> str:
        return str(page.evaluate("document.activeElement.getAttribute('aria-label')")).partition(":")[0]

    tile(page, "app_user, SELECT on app.todos").focus()
    page.keyboard.press("ArrowRight")
    assert focused() == "app_user, INSERT on app.todos"
    page.keyboard.press("End")
    assert focused() == "app_user, DELETE on app.todos"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert focused().endswith("SELECT on app.users") or focused().startswith("app_user, SELECT on shop")
    page.keyboard.press("Enter")
    expect(shown(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(shown(page)).to_have_count(0)
    assert page.locator("#picture a.tile[tabindex='0']").count() == 1


@pytest.mark.breadth
def test_without_scripts(chromium: Browser, file: Path) -> None:
    """Links alone lead to what stands behind a sign, and away from it."""
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    expect(page.locator("#filters")).to_be_hidden()
    tile(page, "app_user, SELECT on app.todos").click()
    expect(shown(page)).to_contain_text("create policy select_own on app.todos")
    shown(page).get_by_role("link", name="Close").click()
    expect(page.locator("#details")).to_be_hidden()
    context.close()


@pytest.mark.breadth
def test_small(page: Page) -> None:
    """At 320 px nothing stands out at the side, and each role is named; what is read contrasts, by day and by night."""
    page.set_viewport_size({"width": 320, "height": 700})
    expect(page.locator("#picture td .role", has_text="app_user").first).to_be_visible()
    picture(page, "audit-320")
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    tile(page, "app_user, SELECT on shop.orders").click()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.evaluate("document.querySelector('#details').scrollWidth") <= 320
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        picture(page, f"audit-320-{scheme}")
        for name in COLOURS:
            for paper in ("--paper", "--card"):
                assert page.evaluate(_CONTRAST, [name, paper]) >= 4.5, (scheme, name, paper)


@pytest.mark.breadth
def test_theme(page: Page) -> None:
    """A button turns day into night."""
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(paper)
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate(paper) != light


@pytest.mark.breadth
def test_print(page: Page) -> None:
    """On paper everything stands that a screen would open, on white."""
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#details article").evaluate_all("all => all.every(one => one.offsetHeight > 0)")
    expect(page.locator("#filters")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"


def test_command(any_database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The command writes the page, compared with what an earlier --json printed; anything else there is refused."""
    userscope = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=any_database.url().text())
    (tmp_path / "before.json").write_text(userscope("audit", "--json").stdout, encoding="utf-8")
    given = ("audit", "--format", "html", "--before", "before.json")
    told = userscope(*given).stdout
    assert told.startswith('<!doctype html>\n<html lang="en">')
    assert '<h2>What has changed</h2><p class="empty">Nothing.</p>' in told
    assert "None: " not in told, "each role's plan is there"
    assert f"<title>Who may do what in {any_database.name}</title>" in told
    with any_database.superuser_connection() as connection:
        connection.execute("alter table app.todos disable row level security")
    assert "app.todos: row-level security is off" in re.sub("<[^>]+>", "", userscope(*given, code=1).stdout)
    for text in ("[]", "{}", '{"matrix": [{}], "findings": []}', "\u00e9 no JSON"):
        (tmp_path / "before.json").write_text(text, encoding="utf-8")
        refused = userscope(*given, code=2).stderr
        assert '"before.json" is no report of "userscope audit --json"' in refused
        assert "HINT:  " in refused
    assert 'cannot read "none.json"' in userscope(*given[:-1], "none.json", code=2).stderr
    assert "--before goes with --format html" in userscope("audit", "--before", "before.json", code=2).stderr


_CONTRAST = """([ink, paper]) => {
    const light = (name) => {
        const probe = document.body.appendChild(document.createElement("i"));
        probe.className = "probe";
        probe.style.color = `var(${name})`;
        const channels = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map((channel) => channel / 255);
        probe.remove();
        const [r, g, b] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const [dark, bright] = [light(ink), light(paper)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
}"""
