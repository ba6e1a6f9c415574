"""Fillers of what people say around the work itself: aims, reasons, requests, people, places, things to look at.

In: word tables below. Out: TALK_SLOTS, kind -> fillers. The same rules hold as in slots_words.py.
"""

from models.embedded.recipe.grammar_types import Filler
from models.embedded.recipe.slots_words import table

OPINION = table("""
the price is a little high = 价格偏高 | this is the best time = 现在是最佳时机 | it is not difficult = 这并不难
this is the final draft = 这是最终稿 | the two plans are very similar = 这两个方案差不多
the result is still not clear = 结果仍不清楚 | the progress is very slow = 进展非常缓慢 | we are all here = 大家都到齐了
it is cheap and reliable = 它便宜而且可靠 | it is not the right time = 现在不是合适的时候
the basic idea is good = 基本思路不错 | this is our strong point = 这是我们的优势
the market will change little by little = 市场会渐渐改变 | it is not a problem at all = 这根本不是问题
the new shop will soon make a profit = 新店很快就会盈利 | it is in our interest = 这符合我们的利益
this is the most important step = 这是最重要的环节 | the machine is in good condition = 机器状态良好
the light is too strong = 光线太强 | this is the only copy = 这是唯一的一份 | it is an easy job = 这活儿很轻松
this job is very important = 这个岗位很重要 | this work is of great value = 这项工作很有意义
the change is very small = 变化很微小 | it has no effect on us = 我们不受影响
we have more and more customers = 我们的客户越来越多 | this position is still open = 这个职位还空着
we are on the same floor = 我们在同一层 | this is enough = 这样就够了 | the file is complete = 文件是完整的
the price is a key point = 价格是关键因素
it is cheap and easy to use = 它既便宜又好用 | your suggestion is very useful = 你的建议很有用
a change is necessary = 有必要改变 | the technical level is high = 技术水平很高 | it is possible = 有可能
the data is real = 数据是真实的 | the program is available now = 程序现在可以用了
the direct flight is better = 直飞更好
we have a real chance = 我们真有机会 | the fees are too high = 收费太高 | the size is right = 大小正合适
it is almost ready = 快准备好了 | the original design is better = 原来的设计更好
the second hotel is cheaper = 第二家酒店更便宜
the new phone is smaller = 新手机更小 | the first solution is easier = 第一个办法更容易
""")

EFFORT = table("""
reduce the loss = 减少损失 | win more customers = 争取更多客户 | save time = 节省时间 | control costs = 控制成本
negotiate with the supplier = 与供应商谈判 | build a new factory = 建一座新工厂 | improve the process = 优化流程
maintain the equipment = 维护设备 | measure performance = 评估表现 | reach an agreement = 达成协议
adjust the price = 调整价格 | record the results = 记录结果 | create more value = 创造更多价值
manage the risk = 管理风险 | support local business = 支持本地企业 | invest in the future = 投资未来
organize the files = 整理文件 | purchase new equipment = 采购新设备 | compare the costs = 比较成本
reduce overtime = 减少加班 | keep the data safe = 确保数据安全 | improve communication = 加强交流
estimate the loss = 估算损失 | get government support = 获得政府支持 | keep key employees = 留住核心员工
build a professional team = 组建专业团队 | understand the market = 了解市场 | meet the standard = 达到标准
reduce the waiting time = 缩短等待时间 | set a new record = 打破纪录 | raise money = 筹集资金
get more experience = 积累经验 | organize a team event = 组织团队活动 | improve the production process = 改进生产工艺
learn through practice = 在实践中学习 | find the cause of the failure = 追查故障原因 | train more experts = 培养更多专家
cut the budget = 削减预算 | take action immediately = 立即采取行动 | promote the new product = 宣传新产品
listen to our customers = 倾听客户的声音 | help one another = 互相帮助 | follow the contract = 依照合同办事
win the competition = 在比赛中取胜 | give the project full support = 给予项目全力支持
fix the equipment failure = 排除设备故障 | change the rules = 修改规则 | expand production = 扩大生产
work faster = 提高工作效率
""")

REASON = table("""
bad management = 管理不善 | low demand = 需求不足 | technical problems = 技术问题 | equipment failure = 设备故障
strong competition = 竞争太强 | late delivery = 交货太晚 | bad communication = 交流不够 | the high cost = 成本太高
bad weather = 天气太差 | a serious mistake = 一个严重失误 | a change of plan = 计划有变
""")

REQUEST = table("""
repeat the question = 重复一下问题 | give an example = 举个例子 | turn on the light = 开一下灯
open the door = 开一下门 | take a photo = 拍张照片 | take notes = 做一下笔记 | make a copy = 复印一份
call a car = 叫一辆车 | check the connection = 检查一下连接 | change the battery = 换一下电池
be more specific = 说得更具体一些 | reply soon = 尽快回复 | confirm the time = 确认一下时间
leave a message = 留个言 | order lunch = 订一下午餐 | charge the battery = 给电池充电 | share your screen = 共享屏幕
keep the receipt = 保留收据 | close the door = 关上门 | wait a minute = 等一会儿
compare the two drawings = 对比一下这两张图纸
move the desk a little to the left = 把办公桌往左移一点 | turn on the air conditioner = 开一下空调
transfer the files to me = 把文件传给我 | complete this form = 填好这张表格 | reply immediately = 立刻回复
open the package = 拆开包裹 | raise the screen a little = 把屏幕抬高一点 | check the draft for mistakes = 校对一下草稿
reserve a double room for me = 给我订一间双人房 | return the key = 归还钥匙 | send me the details = 把详细情况发给我
ask at the front desk = 到前台询问一下 | give us one more week = 再宽限我们一周 | sign on the back = 在背面签字
cancel the appointment = 取消预约 | send me a link = 发给我一个链接 | install the program = 安装一下程序
check the settings = 检查一下设置 | provide a reference = 提供一份参考资料 | deliver it earlier = 早点送货
recommend a restaurant = 介绍一家餐厅 | help these students = 帮一下这些学生 | mention it to them = 跟他们提一下
use the standard form = 使用标准表格 | take care of the guests = 照顾好客人 | turn the screen to us = 把屏幕朝我们转一下
send me a copy = 给我发一份副本 | check the file is complete = 检查文件是否完整
add it to your calendar = 把它加到你的日历里 | send me your location = 把你的位置发给我
""")

TITLE = table("""
general manager = 总经理 | sales director = 销售总监 | project manager = 项目经理 | team leader = 组长
department head = 部门主管 | office manager = 办公室主任
finance director = 财务总监 | technical director = 技术总监
""")

FIELD = table("""
business management = 企业管理 | health care = 医疗
software development = 软件开发 | digital marketing = 数字营销 | risk control = 风险控制
customer service = 客户服务 | trade = 贸易
credit = 信贷
import and export = 进出口
finance = 金融 | market research = 市场研究 | product design = 产品设计
""")

VIRTUE = table("""
careful = 细心 | professional = 专业 | kind = 善良 | serious = 认真 | confident = 自信 | reliable = 可靠
positive = 积极 | responsible = 有责任心
""")

SYSTEM_QUALITY = table("""
reliable = 可靠 | safe = 安全 | useful = 实用 | cheap = 便宜 | easy to use = 好用 | slow = 慢
difficult to use = 难用
""")

SITE = table("""
shop = 商店 | post office = 邮局 | coffee shop = 咖啡店 | book store = 书店 | restaurant = 餐厅 | library = 图书馆
hotel = 酒店 | parking lot = 停车场 | train station = 火车站 | health center = 医疗中心 | phone shop = 手机店
research center = 研究院
""")

BELONGING = table("""
keys = 钥匙 | phone = 手机 | ticket = 票 | watch = 手表 | credit card = 信用卡 | card key = 房卡 | pen = 笔
computer = 电脑 | map = 地图 | receipt = 收据 | business card = 名片
""")

SHOWN = table("""
this example = 这个例子 | this map = 这张地图 | this case = 这个案例 | this letter = 这封信
this message = 这条消息 | this notice = 这份通知 | this record = 这条记录 | this summary = 这份总结
 this method = 这个方法 | this comment = 这条评论 | this statement = 这份声明
this procedure = 这套程序
""")

COLOR = table("white = 白色 | black = 黑色 | orange = 橙色 | gold = 金色")

TALK_SLOTS: dict[str, tuple[Filler, ...]] = {
    "opinion": OPINION,
    "effort": EFFORT,
    "reason": REASON,
    "request": REQUEST,
    "title": TITLE,
    "field": FIELD,
    "virtue": VIRTUE,
    "system_quality": SYSTEM_QUALITY,
    "site": SITE,
    "belonging": BELONGING,
    "shown": SHOWN,
    "color": COLOR,
}
