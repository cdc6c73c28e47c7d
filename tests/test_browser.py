"""The portal as people use it, in headless Chromium: a bank records, the bureau issues."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from matching.services import run_at_once
from referrals.lifecycle import Stage
from reports.models import Bulletin
from reports.services import freeze_bulletin, recompute
from tests.conftest import PASSWORD
from tests.factories import make_deal, make_project, make_referral

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE: ViewportSize = {"width": 360, "height": 740}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # On a desk without Chromium these are left out; in CI they fail (see `browser`).
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CI"), reason="no Chromium on this machine"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the module."""
    assert CHROMIUM, "Chromium is missing: apt install chromium"
    # Playwright runs a loop in this thread, which Django takes for an asynchronous context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page_of(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Log a person in, as a person does; at the end nothing must stand in the console."""
    complaints: list[str] = []
    contexts = []

    def logged_in(user: User, viewport: ViewportSize | None = None) -> Page:
        context = browser.new_context(
            locale="zh-CN",
            base_url=live_server.url,
            viewport=viewport or {"width": 1440, "height": 900},
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/login/")
        page.fill("input[name=username]", user.username)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url(f"{live_server.url}/")
        return page

    yield logged_in
    for context in contexts:
        context.close()
    assert complaints == []


def text_of(page: Page, cell: str) -> str:
    return page.locator(f"#f-{cell}").inner_text().strip()


def test_a_bank_pays_in_march_and_the_march_bulletin_shows_it(
    page_of: Callable[..., Page], bureau: User, bank_clerk: User, tmp_path: Path
):
    project = make_project("棉纺示例项目", demand_wan="5000")
    deal = make_deal(project, "喀什农商银行", agreed_wan="3000", stage=Stage.SIGNED)
    february = freeze_bulletin(month=date(2022, 2, 1), by=bureau)

    bank = page_of(bank_clerk)
    bank.click("text=棉纺示例项目")
    bank.click("nav[aria-label=登记哪一步] >> text=登记投放")
    bank.fill("input[name=paid_wan]", "1,200.5")
    bank.fill("input[name=occurred_on]", "2022-03-15")
    bank.fill("input[name=voucher_no]", "SL-TEST-1")
    bank.click("#moves button[type=submit]")
    assert bank.locator(".messages").inner_text().count("1,200.5 万元") == 1
    assert str(deal.disbursements.get().amount_wan) == "1200.5000"

    office = page_of(bureau)
    office.click("text=生成通报 2022-03")
    office.wait_for_selector("text=2022年3月通报（第 1 版）")
    office.click("text=2022年3月通报（第 1 版）")
    assert text_of(office, "disbursed-amount_yi") == "0.12"
    assert text_of(office, "disbursed-deals") == "1"
    assert text_of(office, "intended-amount_yi") == "0.18"
    with office.expect_download() as download:
        office.click("text=下载 Excel")
    content = Path(download.value.path()).read_bytes()
    assert "汇总" in load_workbook(BytesIO(content)).sheetnames

    office.goto("/bulletins/2022-02/?verify=1")
    assert text_of(office, "disbursed-amount_yi") == "0.00"
    assert text_of(office, "intended-amount_yi") == "0.30"
    assert office.locator("text=一致").count() > 0
    assert recompute(Bulletin.objects.get(pk=february.pk)) == []
    assert office.locator("text=不一致").count() == 0
    assert Bulletin.objects.get(pk=february.pk).digest == february.digest


def test_a_figure_in_the_text_lights_its_cell(page_of: Callable[..., Page], bureau: User):
    make_deal(make_project(demand_wan="5000"), "中国银行", agreed_wan="3000")
    freeze_bulletin(month=date(2022, 2, 1), by=bureau)
    page = page_of(bureau)
    page.goto("/bulletins/2022-02/")
    links = page.locator(".narrative a.figure-link")
    assert links.count() > 15
    for place in range(links.count()):
        target = links.nth(place).get_attribute("href") or ""
        assert page.locator(f"[id='{target[1:]}']").count() == 1, target


@pytest.mark.parametrize("role", ["bureau", "bank_clerk", "county_clerk", "leader"])
def test_start_and_lists_fit_a_phone(
    role: str, page_of: Callable[..., Page], request: pytest.FixtureRequest, bureau: User
):
    project = make_project(
        "喀什市示例名称特别长的农产品精深加工及冷链物流一体化建设项目（一期）（续建）"
    )
    make_referral(project, "喀什农商银行")
    freeze_bulletin(month=date(2022, 2, 1), by=bureau)
    user = bureau if role == "bureau" else request.getfixturevalue(role)
    page = page_of(user, PHONE)
    for entry in ["/", "/referrals/", "/bulletins/", "/bulletins/2022-02/", "/projects/"]:
        page.goto(entry)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{entry} is {width} px wide"


def test_the_matrix_is_a_list_on_a_phone_that_opens_to_the_institutions(
    page_of: Callable[..., Page], bureau: User
):
    project = make_project("疏勒县示例棉纺织加工项目")
    run_at_once(by=bureau, reason="试")
    page = page_of(bureau, PHONE)
    page.goto("/matches/")
    cell = page.locator(".match-matrix tbody td", has_text="支持").first
    assert not cell.is_visible()
    page.locator(".match-matrix tbody .match-toggle summary").click()
    assert cell.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.goto(f"/projects/{project.code}/?match=icbc")
    assert page.locator("#match-icbc .match-detail").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_institution_is_one_line_of_the_match_table(page_of: Callable[..., Page], bureau: User):
    project = make_project("塔什库尔干县示例养殖项目", county="塔县")
    run_at_once(by=bureau, reason="试")
    page = page_of(bureau)
    page.goto(f"/projects/{project.code}/")
    names = page.locator(".match-table summary").all()
    assert len(names) > 10
    # A line and its space: the names of the report never take a second one.
    assert max((name.bounding_box() or {"height": 99})["height"] for name in names) <= 26


def test_the_menu_and_the_forms_work_by_keyboard(
    page_of: Callable[..., Page], bank_clerk: User, bureau: User
):
    make_referral(make_project("键盘示例项目"), "喀什农商银行")
    page = page_of(bank_clerk)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到正文"
    page.goto("/referrals/")
    page.get_by_role("link", name="键盘示例项目").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#moves")
    page.locator("#moves button[type=submit]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(".messages")
    assert "已签收" in page.locator("main").inner_text()
