"""Fillers made of words: people, teams, places, documents, tasks, things.

In: word tables below. Out: WORD_SLOTS, kind -> fillers. Numbers and times are not this module's business.
English and Mandarin tables are aligned by hand; within a slot no text occurs twice in either language.
"""

from typing import NamedTuple

from models.embedded.recipe.grammar_types import Filler, en_tokens, zh_tokens


def words(en: str, zh: str) -> Filler:
    return Filler(en, en_tokens(en), zh_tokens(zh))


def table(text: str) -> tuple[Filler, ...]:
    """Lines of "English = Mandarin", several in a line parted by "|"."""
    pairs = (pair.split("=") for line in text.strip().splitlines() for pair in line.split("|") if pair.strip())
    return tuple(words(en.strip(), zh.strip()) for en, zh in pairs)


NAME = table("""
Alice = 爱丽丝 | David = 大卫 | Peter = 彼得 | Mary = 玛丽 | John = 约翰 | Tom = 汤姆 | Anna = 安娜 | Lucy = 露西
Mike = 迈克 | Paul = 保罗 | Emma = 艾玛 | Jack = 杰克 | Helen = 海伦 | Mark = 马克 | Susan = 苏珊 | Kevin = 凯文
Li Ming = 李明 | Wang Fang = 王芳 | Zhang Wei = 张伟 | Liu Yang = 刘洋 | Chen Jing = 陈静 | Zhao Jun = 赵军
Lin Tao = 林涛 | Yang Li = 杨丽 | Sun Qiang = 孙强 | Huang Ying = 黄英
""")

PERSON = NAME + table("""
Mr. Wang = 王先生 | Ms. Chen = 陈女士 | Mr. Smith = 史密斯先生 | Ms. Brown = 布朗女士
""")

TEAM = table("""
sales team = 销售团队 | design team = 设计团队 | finance team = 财务团队 | marketing team = 市场团队
legal team = 法务团队 | support team = 客服团队 | test team = 测试团队 | research team = 研究团队
security team = 安全团队 | product team = 产品团队 | operations team = 运营团队 | hardware team = 硬件团队
software team = 软件团队 | training team = 培训团队 | data team = 数据团队 | engineering team = 工程团队
""")

CITY = table("""
Beijing = 北京 | Shanghai = 上海 | Guangzhou = 广州 | Shenzhen = 深圳 | Chengdu = 成都 | Hangzhou = 杭州
Nanjing = 南京 | Wuhan = 武汉 | Hong Kong = 香港 | Singapore = 新加坡 | Tokyo = 东京 | London = 伦敦 | Paris = 巴黎
New York = 纽约 | Berlin = 柏林 | Sydney = 悉尼 | Boston = 波士顿 | Toronto = 多伦多 | Seoul = 首尔
Madrid = 马德里 | Rome = 罗马 | Chicago = 芝加哥 | Vienna = 维也纳 | Dubai = 迪拜
""")

COUNTRY = table("""
China = 中国 | Japan = 日本 | Germany = 德国 | France = 法国 | India = 印度 | Brazil = 巴西 | Canada = 加拿大
Australia = 澳大利亚 | the United States = 美国 | Britain = 英国 | Italy = 意大利 | Spain = 西班牙 | Korea = 韩国
Mexico = 墨西哥 | Europe = 欧洲 | Asia = 亚洲 | Africa = 非洲 | North America = 北美 | South America = 南美
""")

PLACE = table("""
in the meeting room = 会议室 | in the lobby = 大厅 | in the office = 办公室 | in the cafeteria = 食堂
in the training room = 培训室 | in the warehouse = 仓库 | at the factory = 工厂 | in the lab = 实验室
in the library = 图书馆 | in the parking lot = 停车场 | at the front desk = 前台 | at the hotel = 酒店
at the airport = 机场 | at the train station = 火车站 | in the kitchen = 厨房 | at the restaurant = 餐厅
""")

DEVICE = table("""
printer = 打印机 | projector = 投影仪 | microphone = 麦克风 | camera = 摄像头 | elevator = 电梯 | air conditioner = 空调
screen = 屏幕 | production line = 生产线 | conference phone = 会议电话 | coffee machine = 咖啡机 | scanner = 扫描仪
copier = 复印机 | speaker = 音箱 | keyboard = 键盘 | front door = 前门 | light switch = 电灯开关
""")

SYSTEM = table("""
network = 网络 | server = 服务器 | website = 网站 | database = 数据库 | payment page = 支付页面 | login page = 登录页面
backup system = 备份系统 | search engine = 搜索引擎 | mobile app = 手机应用 | test server = 测试服务器
order system = 订单系统 | email system = 邮件系统 | video platform = 视频平台 | booking system = 预订系统
""")

EVENT = table("""
meeting = 会议 | interview = 面试 | training session = 培训 | workshop = 研讨会 | conference = 大会
launch event = 发布会 | product demo = 产品演示 | trade fair = 展销会 | press conference = 记者会 | exhibition = 展览
team dinner = 团队聚餐 | board meeting = 董事会会议 | competition = 比赛 | opening ceremony = 开幕式
""")

SUBJECT = table("""
the budget = 预算 | the schedule = 日程 | the hiring plan = 招聘计划 | the marketing plan = 市场计划
data security = 数据安全 | the new product = 新产品 | customer feedback = 客户反馈 | product quality = 产品质量
staff training = 员工培训 | the cost of materials = 材料成本 | the price list = 价格表 | the delivery date = 交货日期
the new design = 新设计 | the test results = 测试结果 | the sales figures = 销售数据
the travel plan = 出差计划
the main risk = 主要风险 | the new office = 新办公室 | the user survey = 用户调查 | the brand name = 品牌名称
next year's plan = 明年的计划 | the supply chain = 供应链 | the technical details = 技术细节
the payment terms = 付款条件
""")

METRIC = table("""
sales = 销售额 | revenue = 收入 | profit = 利润 | the cost = 成本 | traffic = 流量 | the price = 价格 | output = 产量
the number of orders = 订单数 | the error rate = 错误率 | the number of users = 用户数 | demand = 需求
the share price = 股价 | the rent = 租金 | the return rate = 退货率 | the exchange rate = 汇率
""")

GROWTH = table("""
sales = 销售额 | revenue = 收入 | profit = 利润 | traffic = 流量 | output = 产量 | market share = 市场份额
exports = 出口额
""")

COMPLAINT = table("""
the price = 价格 | the quality = 质量 | the service = 服务 | the packaging = 包装 | the battery = 电池
the noise = 噪音
the waiting time = 等待时间 | the delivery time = 交货时间 | the new price = 新价格
""")

SUPPLY = table(
    "paper = 纸 | printer paper = 打印纸 | ink = 墨水 | fuel = 燃料 | cash = 现金 | steel = 钢材 | copper = 铜"
)

RESOURCE = table("""
time = 时间 | money = 资金 | staff = 人手 | data = 数据 | space = 空间 | experience = 经验 | evidence = 证据
storage = 存储空间 | information = 信息
""")

WEATHER = table("hot = 热 | cold = 冷 | warm = 暖和 | cool = 凉快 | humid = 潮湿 | dry = 干燥 | hot and humid = 闷热")

BAD_WEATHER = table("heavy rain = 大雨 | fog = 大雾 | heavy snow = 大雪 | the storm = 暴风雨 | strong wind = 大风")

DRINK = table("""
coffee = 咖啡 | tea = 茶 | black tea = 红茶 | water = 水 | orange juice = 橙汁 | milk = 牛奶 | beer = 啤酒
apple juice = 苹果汁
""")
SCRIPT = table(
    """English = 英文 | Chinese = 中文 | French = 法文 | German = 德文 | Japanese = 日文
    Spanish = 西班牙文 | Korean = 韩文"""
)


class Thing(NamedTuple):
    """A noun that can be counted. `en` and `ens` are singular and plural."""

    en: str
    ens: str
    zh: str
    classifier: str


def _things(text: str) -> tuple[Thing, ...]:
    rows = (row.split() for line in text.strip().splitlines() for row in line.split("|") if row.strip())
    return tuple(Thing(en.replace("_", " "), ens.replace("_", " "), zh, cl) for en, ens, zh, cl in rows)


DOCUMENTS = _things("""
report reports 报告 份 | contract contracts 合同 份 | budget budgets 预算 份 | list lists 清单 份
document documents 文件 份 | draft drafts 草稿 份 | proposal proposals 提案 份 | invoice invoices 发票 张
manual manuals 手册 本 | drawing drawings 图纸 张 | agreement agreements 协议 份 | survey surveys 问卷 份
form forms 表格 张 | photo photos 照片 张 | video videos 视频 段 | email emails 邮件 封 | chart charts 图表 张
""")

GOODS = _things("""
chair chairs 椅子 把 | desk desks 办公桌 张 | computer computers 电脑 台 | phone phones 手机 部 | car cars 汽车 辆
ticket tickets 票 张 | book books 书 本 | pen pens 笔 支 | truck trucks 卡车 辆 | printer printers 打印机 台
server servers 服务器 台 | screen screens 屏幕 块 | key keys 钥匙 把 | battery batteries 电池 块
sample samples 样品 件 | box boxes 箱子 个 | camera cameras 摄像头 个 | machine machines 机器 台
package packages 包裹 件 | bottle_of_water bottles_of_water 水 瓶
tool tools 工具 件 | lamp lamps 台灯 盏 | bicycle bicycles 自行车 辆
""")

STAFF = _things("""
engineer engineers 工程师 名 | manager managers 经理 名 | driver drivers 司机 名 | designer designers 设计师 名
lawyer lawyers 律师 名 | translator translators 翻译 名 | accountant accountants 会计 名
""")

GUESTS = _things("""
customer customers 客户 位 | guest guests 客人 位 | visitor visitors 访客 位 | expert experts 专家 位
student students 学生 名 | teacher teachers 老师 位 | partner partners 合作伙伴 位 | reporter reporters 记者 位
""")

PERSONS = _things("person people 人 个")
FAULTS = _things("problem problems 问题 个 | error errors 错误 个 | risk risks 风险 个")
TASKS = _things(
    "task tasks 任务 项 | order orders 订单 个 | project projects 项目 个 | step steps 步骤 个 | test tests 测试 项"
)
ITEMS = _things("item items 内容 项")


class Verb(NamedTuple):
    """A verb that takes a document. The English past is also the participle."""

    base: str
    past: str
    ing: str
    zh: str


VERBS = tuple(
    Verb(*row.split())
    for row in """
finish finished finishing 完成|check checked checking 检查|update updated updating 更新|send sent sending 发送
print printed printing 打印|review reviewed reviewing 审核|translate translated translating 翻译
share shared sharing 分享|prepare prepared preparing 准备|approve approved approving 批准
sign signed signing 签署|revise revised revising 修改|copy copied copying 复印
""".strip()
    .replace("\n", "|")
    .split("|")
)

_SIGNABLE = ("contract", "agreement", "document")
_APPROVABLE = ("budget", "contract", "agreement", "proposal", "report")
_TEXTS = ("report", "contract", "document", "draft", "proposal", "manual", "agreement", "email", "survey", "list")
_PAPERS = (*_TEXTS, "invoice", "drawing", "form", "photo", "chart", "budget")
_ALL = tuple(thing.en for thing in DOCUMENTS)
_OBJECTS = {
    "share": ("report", "document", "photo", "video", "chart", "list", "draft", "proposal"),
    "finish": ("report", "draft", "proposal", "manual", "drawing", "budget", "video", "chart", "survey"),
    "update": ("report", "list", "document", "manual", "drawing", "budget", "form", "chart"),
    "print": _PAPERS,
    "copy": _PAPERS,
    "translate": (*_TEXTS, "video"),
    "prepare": ("report", "contract", "budget", "list", "document", "proposal", "invoice", "agreement", "survey"),
    "approve": _APPROVABLE,
    "sign": _SIGNABLE,
    "revise": (*_TEXTS, "drawing", "budget", "chart"),
    "review": ("report", "contract", "budget", "draft", "proposal", "invoice", "drawing", "agreement", "video"),
}
_BY_NAME = {thing.en: thing for thing in DOCUMENTS}
_TASKS = tuple((verb, _BY_NAME[name]) for verb in VERBS for name in _OBJECTS.get(verb.base, _ALL))


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


WORD_SLOTS: dict[str, tuple[Filler, ...]] = {
    "name": NAME,
    "person": PERSON,
    "team": TEAM,
    "city": CITY,
    "country": COUNTRY,
    "place": PLACE,
    "device": DEVICE,
    "system": SYSTEM,
    "event": EVENT,
    "subject": SUBJECT,
    "metric": METRIC,
    "growth": GROWTH,
    "complaint": COMPLAINT,
    "supply": SUPPLY,
    "resource": RESOURCE,
    "weather": WEATHER,
    "bad_weather": BAD_WEATHER,
    "drink": DRINK,
    "script": SCRIPT,
    "doc": tuple(words(thing.en, thing.zh) for thing in DOCUMENTS),
    "text": tuple(words(name, _BY_NAME[name].zh) for name in _TEXTS),
    "a_doc": tuple(words(article(thing.en), f"一{thing.classifier}{thing.zh}") for thing in DOCUMENTS),
    "this_doc": tuple(words(f"this {thing.en}", f"这{thing.classifier}{thing.zh}") for thing in DOCUMENTS),
    "this_good": tuple(words(f"this {thing.en}", f"这{thing.classifier}{thing.zh}") for thing in GOODS),
    "task": tuple(words(f"{verb.base} the {doc.en}", f"{verb.zh}{doc.zh}") for verb, doc in _TASKS),
    "done": tuple(words(f"{verb.past} the {doc.en}", f"{verb.zh}{doc.zh}") for verb, doc in _TASKS),
    "did": tuple(words(f"{verb.past} the {doc.en}", f"{verb.zh}了{doc.zh}") for verb, doc in _TASKS),
    "doing": tuple(words(f"{verb.ing} the {doc.en}", f"{verb.zh}{doc.zh}") for verb, doc in _TASKS),
}
