"""Fillers of the business patterns: roles, wishes, worries, expenses, goods without a count.

In: word tables below and the goods and papers of slots_words.py. Out: BUSINESS_SLOTS, kind -> fillers. Numbers are not
this module's business. Within a slot no text occurs twice in either language.
"""

from models.embedded.recipe.grammar_types import Filler
from models.embedded.recipe.slots_words import DOCUMENTS, GOODS, article, table, words

_LOOSE_GOODS = tuple(thing for thing in GOODS if " " not in thing.en)
"""Without those counted by their bottle: "the bottles of water" isn't all that 水 can mean."""
_NOT_SOLD = ("box", "key", "package", "sample", "ticket")
_PRODUCTS = tuple(thing for thing in _LOOSE_GOODS if thing.en not in _NOT_SOLD)
_PAPERS = ("report", "contract", "list", "document", "draft", "invoice", "manual", "drawing", "form", "photo")
_FILES = ("report", "document", "draft", "manual", "drawing", "form", "photo", "video", "email", "chart", "survey")

_ROLE = table("""
manager = 经理 | project manager = 项目经理 | sales manager = 销售经理 | product manager = 产品经理
finance director = 财务总监 | technical director = 技术总监 | boss = 老板 | investor = 投资人
engineer = 工程师
""")

_TONGUE = table("""
English = 英语 | French = 法语 | German = 德语 | Japanese = 日语 | Spanish = 西班牙语 | Korean = 韩语 | Chinese = 汉语
""")

_WISH = table("""
a better price = 更好的价格 | better service = 更好的服务 | faster delivery = 更快的交货 | more time = 更多时间
higher quality = 更高的质量 | more information = 更多信息 | a new design = 新的设计
""")

_LIKED = table("""
the new design = 新设计 | the new product = 新产品 | our service = 我们的服务
the new packaging = 新包装 | the mobile app = 手机应用 | our brand = 我们的品牌 | our website = 我们的网站
""")

_WORRY = table("""
the budget = 预算 | the cost = 成本 | the delivery date = 交货日期 | data security = 数据安全 | the exchange rate = 汇率
product quality = 产品质量 | the competition = 竞争 | the weather = 天气
""")

_RATE_HIGH = table("""
the price = 价格 | the cost = 成本 | the rent = 租金 | the tax rate = 税率 | the error rate = 错误率
the return rate = 退货率 | the failure rate = 故障率 | the risk = 风险
""")

_RATE_PERCENT = table("""
the error rate = 错误率 | the return rate = 退货率 | the failure rate = 故障率 | the growth rate = 增长率
""")

_EXPENSE = table("""
the hotel = 酒店 | the flight = 机票 | the dinner = 晚餐 | the equipment = 设备 | the training = 培训
the repair = 维修 | the trip = 出差
""")

_PROGRAM = table("""
staff training = 员工培训 | research = 研究 | equipment = 设备 | data security = 数据安全 | customer service = 客户服务
product development = 产品开发
""")

_CHOICE = table("""
the budget = 预算 | the hiring plan = 招聘计划 | the marketing plan = 市场计划 | the new design = 新设计
the brand name = 品牌名称 | the travel plan = 出差计划 | next year's plan = 明年的计划 | the schedule = 日程
""")

_APPLIANCE = table("""
printer = 打印机 | projector = 投影仪 | microphone = 麦克风 | camera = 摄像头
scanner = 扫描仪 | coffee machine = 咖啡机 | copier = 复印机 | speaker = 音箱
""")

_HOST = table("""
network = 网络 | server = 服务器 | database = 数据库 | website = 网站 | test server = 测试服务器
order system = 订单系统 | video platform = 视频平台
backup system = 备份系统 | email system = 邮件系统 | booking system = 预订系统
""")

_FORECAST = table("heavy rain = 大雨 | heavy snow = 大雪 | fog = 大雾 | strong wind = 大风 | a storm = 暴风雨")

BUSINESS_SLOTS: dict[str, tuple[Filler, ...]] = {
    "role": _ROLE,
    "tongue": _TONGUE,
    "wish": _WISH,
    "liked": _LIKED,
    "worry": _WORRY,
    "rate": _RATE_HIGH,
    "rate_percent": _RATE_PERCENT,
    "expense": _EXPENSE,
    "program": _PROGRAM,
    "choice": _CHOICE,
    "appliance": _APPLIANCE,
    "host": _HOST,
    "forecast": _FORECAST,
    "part": table("half = 一半 | a third = 三分之一 | a quarter = 四分之一 | a fifth = 五分之一 | most = 大部分"),
    "this_period": table("this week = 这周 | this month = 这个月 | this quarter = 这个季度 | this year = 今年"),
    "a_good": tuple(words(article(thing.en), f"一{thing.classifier}{thing.zh}") for thing in GOODS),
    "each_good": tuple(words(f"Each {thing.en}", f"每{thing.classifier}{thing.zh}") for thing in GOODS),
    "the_goods": tuple(words(f"the {thing.ens}", thing.zh) for thing in _LOOSE_GOODS),
    "wares": tuple(words(thing.ens, thing.zh) for thing in _PRODUCTS),
    "products": tuple(words(thing.ens, thing.classifier + thing.zh) for thing in _PRODUCTS),
    "kinds": tuple(words(thing.ens, thing.classifier + thing.zh) for thing in GOODS),
    "paper": tuple(words(thing.en, thing.zh) for thing in DOCUMENTS if thing.en in _PAPERS),
    "file": tuple(words(thing.en, thing.zh) for thing in DOCUMENTS if thing.en in _FILES),
}
