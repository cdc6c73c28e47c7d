"""What a reading takes a text to say: goods by role, negation, the past, customers, fields."""

from decimal import Decimal
from typing import Any

import pytest

from matching.engine import Rulebook
from matching.loaders import load_rulebook
from matching.types import ProjectFacts, Span

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("register")]


@pytest.fixture(scope="module")
def rulebook(django_db_setup: None, django_db_blocker: Any) -> Rulebook:
    """All lists in force, compiled once."""
    with django_db_blocker.unblock():
        return load_rulebook()


def subjects(rulebook: Rulebook, content: str, name: str = "某项目") -> set[str]:
    """Return the subjects that a text states."""
    reading = rulebook.read(ProjectFacts(id="p", name=name, content=content))
    stated = rulebook.reader.atoms.names(reading.true)
    return {atom.removeprefix("subject:") for atom in stated if atom.startswith("subject:")}


@pytest.mark.parametrize(
    ("content", "made"),
    [
        ("年产电力电缆3000公里", "electrical_equipment"),
        ("涂料8000吨/年，内墙腻子另算", "coatings_inks"),
        ("建设乳胶漆、腻子和真石漆生产线两条", "coatings_inks"),
        ("年产变压器500台，开关柜1000面", "electrical_equipment"),
        ("主要产品为平板玻璃", "flat_glass"),
        ("日产5000吨水泥熟料", "cement"),
        ("组装蓝牙耳机和音箱，用工300人", "computer_communication_equipment"),
        ("新建红砖厂一座", "nonmetal_products"),
        ("采购水泥、砂石，生产预制构件", "nonmetal_products"),
    ],
)
def test_goods_that_are_made_state_their_industry(content: str, made: str, rulebook: Rulebook):
    assert made in subjects(rulebook, content)


@pytest.mark.parametrize(
    ("content", "industry"),
    [
        ("敷设电力电缆12公里，更换变压器6台", "electrical_equipment"),
        ("采购水泥2000吨用于渠道衬砌", "cement"),
        ("经营瓷砖、涂料门店，备货周转", "nonmetal_products"),
        ("外墙粉刷涂料，更换中空玻璃窗", "coatings_inks"),
        ("购置电脑和打印机", "computer_communication_equipment"),
        ("购买客车20辆用于城乡客运", "vehicles"),
        ("安装智能水表8000只", "instruments"),
    ],
)
def test_goods_that_are_bought_or_used_state_no_industry(
    content: str, industry: str, rulebook: Rulebook
):
    assert industry not in subjects(rulebook, content)


def test_goods_in_the_name_are_made_where_the_text_speaks_of_making(rulebook: Rulebook):
    making = subjects(rulebook, "新建车间两栋，上搅拌和灌装设备", name="莎车县真石漆")
    silent = subjects(rulebook, "外立面翻新三万平方米", name="莎车县真石漆外墙翻新")
    assert "coatings_inks" in making
    assert "coatings_inks" not in silent


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ("批发螺纹钢、盘条，供各工地", "steel_trade"),
        ("从库车采购动力煤，转卖给供热站", "coal_trade"),
        ("开采铅锌矿石，年采60万吨", "nonferrous_mining"),
        ("仓储、中转精矿和钢材，年吞吐80万吨", "logistics_mineral"),
        ("临街新建商铺120间对外销售", "commercial_property"),
        ("为螺纹钢、板材提供到站卸车和寄存", "logistics_steel_energy"),
        ("盖三层卖场，隔成430个铺面，一铺一证", "shop_premises"),
    ],
)
def test_the_same_goods_state_what_is_done_with_them(
    content: str, subject: str, rulebook: Rulebook
):
    assert subject in subjects(rulebook, content)


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ("只做钢材加工，不炼钢不轧钢", "steel"),
        ("以铜精粉外卖为主，自己不开铁矿", "ferrous_mining"),
        ("国家禁用农药一律不卖", "banned_agri_inputs"),
        ("与铀矿、核燃料毫无关系", "nuclear_fuel"),
        ("无对外出售的商品房", "real_estate_commercial"),
        ("县水泥厂早已停产拆除，旧址改作养老院", "cement"),
        ("原造纸厂旧厂房改造为服装车间", "paper"),
        ("老轧钢厂院子改智慧育苗中心", "steel"),
        ("以前盖过几个商品房小区，现承建校舍", "real_estate_commercial"),
        ("散装灰从外县水泥厂买进，做渠板", "cement"),
        ("煤炭转卖给供热站和砖厂", "nonmetal_products"),
        ("租用写字楼一层办公", "commercial_property"),
        ("以厂房和两间商铺作抵押，买饲料", "commercial_property"),
        ("与和田一家丝绸厂签了收茧合同，只管养蚕", "carpet_silk"),
        ("给小超市、摊主开发收银软件", "retail"),
        ("历史遗留采煤区生态恢复，不恢复开采", "coal_mining"),
        ("建轻钢厂房构件车间，外购钢材下料", "steel"),
    ],
)
def test_what_is_denied_past_or_somebody_elses_is_not_stated(
    content: str, subject: str, rulebook: Rulebook
):
    assert subject not in subjects(rulebook, content)


@pytest.mark.parametrize(
    ("content", "subject"),
    [
        ("新建不锈钢制品车间，年产锅具", "kr_metal_industry"),
        ("规模不大的核桃加工厂", "forestry_fruit"),
        ("从事棉花种植", "cotton"),
        ("无公害蔬菜基地", "vegetables"),
    ],
)
def test_a_sign_of_denial_inside_another_word_denies_nothing(
    content: str, subject: str, rulebook: Rulebook
):
    assert subject in subjects(rulebook, content)


def test_a_very_long_text_is_read_in_time_that_grows_with_it(rulebook: Rulebook):
    content = "年产电缆3000公里、变压器500台，敷设光缆，不涉及房地产开发。" * 3000
    assert "electrical_equipment" in subjects(rulebook, content)


def test_part_of_a_sectors_name_stands_for_what_those_sectors_share(rulebook: Rulebook):
    fields = rulebook.reader.fields
    part, whole = fields.sector("有色金属冶炼"), fields.sector("C32")
    assert part == whole != (0, 0)
    assert fields.sector("不存在的行业")[0] == 0


def matches(rulebook: Rulebook, **project: Any) -> dict[str, Any]:
    facts = ProjectFacts(id="p", **project)
    return {match.institution: match for match in rulebook.evaluate(facts)}


CGB = "广发银行喀什分行"


def test_the_hard_part_of_a_soft_clause_excludes_and_is_cited_once(rulebook: Rulebook):
    content = "铸造厂停产四年，连年亏损，两笔贷款已逾期，申请新贷款归还旧账"
    found = matches(rulebook, name="归还旧贷", content=content, county="叶城县")[CGB]
    assert found.verdict == "excluded"
    places = [(reason.list, reason.clause) for reason in found.reasons]
    assert ("negative", "（三）") in places
    assert len(places) == len(set(places))
    sound = matches(rulebook, name="扩建", content="铸造厂扩建，订单饱满", county="叶城县")[CGB]
    assert sound.verdict != "excluded"


@pytest.mark.parametrize(
    "content",
    [
        "县财政局出具还款承诺函，审计已认定为违规举债",
        "以政府购买服务名义变相融资，新增隐性债务",
    ],
)
def test_a_violation_that_the_text_states_is_no_question(content: str, rulebook: Rulebook):
    bank = "国家开发银行喀什地区分行"
    found = matches(rulebook, name="新区道路", content=content, county="莎车县")[bank]
    assert found.verdict == "excluded"
    clean = matches(rulebook, name="新区道路", content="不新增隐性债务", county="莎车县")[bank]
    assert clean.verdict != "excluded"


def test_a_field_that_decides_is_shown_as_evidence(rulebook: Rulebook):
    found = matches(
        rulebook,
        name="周转",
        content="加工门窗",
        ownership="民营",
        county="喀什市",
        demand_wan=Decimal(300),
    )["喀什农商银行"]
    spans = [span for reason in found.reasons for span in reason.evidence]
    assert Span("ownership", 0, 2, "民营") in spans
    assert Span("demand_wan", 0, 5, "300万元") in spans
