"""The columns of the ledger: how they are headed, and which words they allow."""

from common.cells import Words
from common.excel import Column
from projects.choices import Category, Guarantee, Nature, Ownership, Permit


def _listed(*lines: str) -> tuple[str, ...]:
    """The words of lists that are written with a blank between them."""
    return tuple(word for line in lines for word in line.split())


COLUMNS: dict[str, Column] = {
    "serial": Column("序号", _listed("序 编号 NO 行号"), is_serial=True),
    "county": Column(
        "县市",
        _listed(
            "县（市） 县（市、区） 县 县市区 区县 所属县市 所在县市 县市名称 所属县（市）",
            "项目所在县市 所在地 项目所在地 属地 行政区划",
        ),
    ),
    "recommender": Column(
        "推荐单位",
        _listed(
            "推荐部门 推荐单位名称 推荐县市或部门 报送单位 上报单位 填报单位 主管部门",
            "行业主管部门 推荐县市（部门）",
        ),
    ),
    "name": Column(
        "项目名称",
        _listed("项目 融资项目名称 融资项目 工程名称 项目全称"),
        is_name=True,
    ),
    "borrower": Column(
        "项目单位",
        _listed(
            "项目业主 业主单位 项目业主单位 项目单位名称 融资主体 承贷主体 借款主体",
            "借款人 项目法人 实施主体 项目实施主体 实施单位 建设单位 企业名称 单位名称",
            "公司名称 融资企业 用款单位 申报单位 申报企业",
        ),
    ),
    "credit_code": Column(
        "统一社会信用代码", _listed("社会信用代码 信用代码 统一信用代码 统一社会信用码 机构代码")
    ),
    "ownership": Column(
        "企业性质",
        _listed("单位性质 所有制 所有制性质 所有制类型 企业类型 经济性质 企业所有制"),
    ),
    "sector_code": Column(
        "所属行业",
        _listed(
            "行业 行业分类 国民经济行业 国民经济行业分类 行业代码 行业名称 所属行业代码",
            "所属行业名称 行业类别 行业门类",
        ),
    ),
    "categories": Column("项目类别", _listed("类别 项目类型 项目分类")),
    "content": Column(
        "建设内容及规模",
        _listed(
            "建设内容 建设规模 建设规模及内容 建设内容和规模 建设内容与规模 主要建设内容",
            "主要建设内容及规模 建设规模及主要内容 项目建设内容 项目内容 项目概况",
            "项目简介",
        ),
    ),
    "nature": Column("建设性质", _listed("项目性质 建设类型")),
    "total_investment_wan": Column(
        "总投资（万元）",
        _listed("总投资 项目总投资 总投资额 总投资金额 投资总额 计划总投资 投资规模"),
        is_amount=True,
    ),
    "secured_wan": Column(
        "已落实资金（万元）",
        _listed(
            "已落实资金 已落实资金额 已落实 落实资金 已到位资金 到位资金 已筹资金",
            "自有资金 自筹资金 资本金",
        ),
        is_amount=True,
    ),
    "demand_wan": Column(
        "融资需求（万元）",
        _listed(
            "融资需求 融资需求金额 融资需求额 融资需求总额 融资金额 融资额 融资额度",
            "拟融资金额 拟融资额 贷款需求 贷款需求金额 信贷需求 拟贷款金额 资金需求",
            "资金需求金额 需求金额 融资缺口 资金缺口",
        ),
        is_amount=True,
    ),
    "purpose": Column(
        "融资用途",
        _listed("资金用途 贷款用途 融资资金用途 融资需求用途 借款用途 用款用途 用途"),
    ),
    "term_months": Column(
        "期限（月）",
        _listed(
            "期限 融资期限 贷款期限 借款期限 融资需求期限 拟融资期限 需求期限 期限月数",
        ),
        is_term=True,
    ),
    "guarantees": Column(
        "担保方式",
        _listed(
            "担保 担保措施 增信方式 增信措施 融资需求担保方式 可提供担保方式 拟担保方式",
            "抵质押担保方式",
        ),
    ),
    "planned_use_on": Column(
        "计划用款时间",
        _listed(
            "用款时间 计划用款日期 计划用款 计划用款月份 拟用款时间 预计用款时间",
            "资金需求时间 需求时间 用款月份",
        ),
    ),
    "wished_institutions": Column(
        "意向金融机构",
        _listed(
            "意向银行 意向机构 意向贷款银行 意向合作金融机构 意向合作银行 拟对接银行",
            "拟对接金融机构 拟融资金融机构",
        ),
    ),
    "contact_person": Column(
        "联系人", _listed("联系人姓名 项目联系人 企业联系人 单位联系人 联系人及职务")
    ),
    "contact_phone": Column(
        "联系电话",
        _listed(
            "电话 联系人电话 联系人联系电话 联系方式 手机 手机号 手机号码 联系人手机", "电话号码"
        ),
    ),
    "permits": Column(
        "前期手续",
        _listed(
            "前期手续办理情况 前期手续情况 手续办理情况 已办手续 已办前期手续 审批手续",
            "已取得手续",
        ),
    ),
    "note": Column("备注", _listed("备注说明 其他说明 说明 备注信息")),
}
REQUIRED = (
    "county",
    "recommender",
    "name",
    "borrower",
    "sector_code",
    "demand_wan",
    "purpose",
)

CATEGORY_WORDS = Words.of(
    {
        Category.MAJOR_INDUSTRIAL: _listed("重大工业项目 重大工业 重点工业项目"),
        Category.STATE_OWNED: _listed("国有企业 国企 国有企业项目 国企项目"),
        Category.MAJOR: _listed("重大项目 重大 重大建设项目"),
        Category.KEY_FIELD: _listed("重点领域 重点领域项目"),
    }
)
OWNERSHIP_WORDS = Words.of(
    {
        Ownership.STATE: _listed(
            "国有 国企 国有企业 国有独资 国有独资企业 国有控股 国有控股企业",
            "国有及国有控股 国有全资 国资 央企 中央企业 地方国企 地方国有企业",
        ),
        Ownership.PRIVATE: _listed(
            "民营 民企 民营企业 私营 私企 私营企业 私有 非国有 非公有制 自然人独资",
            "自然人投资或控股",
        ),
        Ownership.COLLECTIVE: _listed(
            "集体 集体企业 集体所有制 村集体 村集体企业 村集体经济组织 集体经济组织",
            "农村集体经济组织",
        ),
        Ownership.MIXED: _listed("混合所有制 混合所有制企业 混合 混合制"),
        Ownership.FOREIGN: _listed(
            "外资 外企 外资企业 外商投资 外商投资企业 外商独资 中外合资 合资 港澳台资", "港澳台投资"
        ),
        Ownership.INDIVIDUAL: _listed("个体 个体户 个体工商户 个体经营"),
        Ownership.PUBLIC_BODY: _listed(
            "机关事业单位 事业单位 行政事业单位 行政单位 机关 机关单位 政府机关 政府部门",
            "党政机关",
        ),
        Ownership.COOPERATIVE: _listed(
            "农民专业合作社 合作社 专业合作社 农民合作社 农业合作社 农民专业合作联社"
        ),
        Ownership.OTHER: _listed("其他 其它"),
    }
)
NATURE_WORDS = Words.of(
    {
        Nature.NEW: _listed("新建 新建项目 新建工程"),
        Nature.REBUILD: _listed("改建 改建项目 改造 续改建"),
        Nature.EXTEND: _listed("扩建 扩建项目 改扩建 新建扩建"),
        Nature.UPGRADE: _listed("技改 技术改造 技改项目 技术改造项目"),
        Nature.OTHER: _listed("其他 其它 续建 迁建 恢复 单纯购置"),
    }
)
GUARANTEE_WORDS = Words.of(
    {
        Guarantee.MORTGAGE: _listed(
            "抵押 抵押担保 抵押贷款 资产抵押 不动产抵押 土地抵押 房产抵押 房地产抵押",
            "设备抵押 土地使用权抵押",
        ),
        Guarantee.PLEDGE: _listed(
            "质押 质押担保 质押贷款 股权质押 应收账款质押 收费权质押 收益权质押 存货质押",
            "动产质押 知识产权质押",
        ),
        Guarantee.SURETY: _listed(
            "保证 保证担保 担保 担保公司担保 担保公司保证 担保公司 第三方担保 第三方保证",
            "连带责任保证 连带责任担保 企业担保 集团担保 融资担保 政府性融资担保",
        ),
        Guarantee.CREDIT: _listed("信用 信用贷款 信用担保 纯信用 免担保"),
        Guarantee.OTHER: _listed("其他 其它 组合担保 其他担保"),
    }
)
PERMIT_WORDS = Words.of(
    {
        Permit.APPROVAL: _listed(
            "立项 立项批复 项目立项 立项备案 备案 备案证 项目备案 核准 项目备案证",
            "可研批复 可研 可行性研究报告批复 项目批复",
        ),
        Permit.LAND: _listed(
            "用地 用地手续 用地批复 用地预审 土地 土地证 土地手续 国土 不动产权证",
            "土地使用证 建设用地批准书",
        ),
        Permit.ENVIRONMENT: _listed("环评 环评批复 环评手续 环境影响评价 环保 环保手续"),
        Permit.PLANNING: _listed(
            "规划 规划许可 规划许可证 规划手续 规划选址 选址意见书 用地规划许可证",
            "建设用地规划许可证 工程规划许可证 建设工程规划许可证",
        ),
        Permit.CONSTRUCTION: _listed("施工许可 施工许可证 施工证 建筑工程施工许可证 开工许可"),
    }
)
# Words for all permits at once, and for none.
ALL_PERMITS = ("齐全", "手续齐全", "全部", "已齐全", "均已办理", "全部办理", "已全部办理")
NO_PERMITS = ("未办理", "未办", "均未办理", "暂未办理", "没有", "办理中")
