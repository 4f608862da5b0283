package console

// chinese has the texts of the console in Chinese, by the English ones in the templates.
//
// #nosec G101 -- texts, some of which speak of secrets
var chinese = map[string]string{
	// Navigation and frame
	"Overview": "概览", "Messaging": "消息", "Server": "服务器", "Queues": "队列", "Topics": "主题", "Where is my message?": "我的消息在哪里？", "Outbox": "发件箱",
	"Access keys": "访问密钥", "Costs": "费用", "Servers": "服务器列表", "Clock and reset": "时钟与重置", "Menu": "菜单", "Pages": "页面", "Go": "前往",
	"JSON API": "JSON API", "Documentation": "文档", "Skip to the content": "跳到正文", "Account": "账号", "Region": "地域", "Account and region": "账号与地域", "Account: twelve digits": "账号：十二位数字",
	"Go to this account and region": "切换到该账号与地域", "Find a queue or a message id": "查找队列或消息 ID", "Find a queue, or a message by its id": "按名称查找队列，或按 ID 查找消息",
	"Change colours": "切换配色", "Colours: as the system has them": "配色：跟随系统", "Colours: dark": "配色：深色", "Colours: light": "配色：浅色",
	"Keyboard shortcuts": "键盘快捷键", "Search": "搜索", "New: queue, topic, key": "新建：队列、主题、密钥", "This list": "本列表", "Close a dialog": "关闭对话框", "Close": "关闭",
	"Log in": "登录", "Log out": "退出登录", "Logged in as %s": "当前登录：%s", "Copied": "已复制", "Copy": "复制", "Loading…": "加载中…", "live": "实时",
	"The same from code": "用代码完成同样的操作", "Next page": "下一页", "Cancel": "取消", "Name": "名称", "Kind": "类型", "Created": "创建时间", "Changed": "修改时间", "Settings": "设置",
	"Remove": "移除", "none": "无", "or": "或", "Error": "错误", "Time": "时间", "From": "从", "To": "到", "User": "用户", "State": "状态", "you": "当前", "key": "密钥",

	// Alerts
	"Alerts": "告警", "New alert": "新建告警", "Create alert": "创建告警", "Edit alert": "编辑告警", "Edit…": "编辑…", "Save alert": "保存告警", "Alert %s was changed.": "告警 %s 已修改。", "as it is": "保持不变", "Delete alert": "删除告警", "Delete this alert?": "删除此告警？", "Metric": "指标", "Threshold": "阈值", "Condition": "条件", "Series": "序列",
	"Alerts watch queues and servers every 15 seconds, and tell somebody when something is wrong, and when it is well again.": "告警每 15 秒检查一次队列和服务器，出现异常以及恢复正常时都会发出通知。",
	"all, or a pattern such as orders*; only for metrics of queues":                                                           "全部，或 orders* 这样的模式；仅用于队列指标", "It is wrong when it is": "异常条件", "For so many seconds": "持续秒数",
	"Tell again every so many seconds": "重复通知间隔（秒）", "Tell by": "通知方式", "Name, address or URL": "名称、地址或 URL", "nobody is told": "不通知任何人",
	"that webhooks and robots of DingTalk and Feishu are signed with": "用于 Webhook、钉钉和飞书机器人的签名", "not delivered": "未送达", "No alerts": "没有告警",
	"Have somebody told when a queue grows, messages get old, or dead letters come.": "当队列变长、消息变旧或出现死信时通知相关人员。", "Send a test": "发送测试", "For": "持续", "at once": "立即", "Told again": "重复通知",
	"Missing data": "数据缺失时", "Last failure": "最近一次失败", "Since": "开始时间", "Told": "通知时间", "There are more; the API lists all.": "还有更多；API 可列出全部。", "Not evaluated yet": "尚未评估",
	"No queue matches, or the alert is disabled, or less than 15 seconds old.": "没有匹配的队列，或告警已停用，或创建不足 15 秒。", "firing": "告警中", "no data": "无数据", "ok": "正常",
	"The threshold must be a number.": "阈值必须是数字。", "Alert %s was created.": "告警 %s 已创建。", "Alert %s was deleted.": "告警 %s 已删除。",
	"Alert %s is not evaluated any more.": "告警 %s 已停止评估。", "Alert %s is evaluated again.": "告警 %s 已恢复评估。",

	// Errors
	"That did not work": "操作未成功", "Back to the overview": "返回概览", "There is no such page.": "没有这个页面。",
	"The request does not come from a page of this console, and was not done.": "请求不是来自本控制台的页面，未予执行。",
	"This page is out of date. Nothing was done; load it again and repeat.":    "页面已过期，未执行任何操作；请重新加载后再试。",
	"Too many attempts. Wait a moment and try again.":                          "尝试次数过多，请稍后再试。",
	"That is more than a form may hold.":                                       "内容超出表单允许的大小。",
	"Something went wrong on the server; its log says what.":                   "服务器出错，详情见服务器日志。",
	"The database cannot be reached at the moment. Try again soon.":            "暂时无法连接数据库，请稍后再试。",
	"%s must be a number from 0 to %d.":                                        "%s必须是 0 到 %d 之间的数。",
	"%s must be a whole number from 1 to %d.":                                  "%s必须是 1 到 %d 之间的整数。",
	"Nothing was removed: type the name %s to confirm.":                        "未移除任何内容：请输入名称 %s 以确认。",
	"Type %s to confirm":     "输入 %s 以确认",
	"This cannot be undone.": "此操作无法撤销。",
	"Access key id":          "访问密钥 ID", "Secret": "Secret",

	"This server verifies signatures. Log in with the access key of an administrator, or of a user who was given access as viewer, operator or admin.":                                             "此服务器会校验签名。请用管理员的访问密钥登录，或用已获得 viewer、operator 或 admin 权限的用户的访问密钥登录。",
	"That is no access key that opens the console, or its secret is another.":                                                                                                                      "此访问密钥不能进入控制台，或密钥的 Secret 不正确。",
	"An administrator's key is made with polymq key create --admin; the first one is printed when the server starts for the first time. Users get access by polymq user set NAME --access viewer.": "管理员密钥用 polymq key create --admin 创建；第一个密钥在服务器首次启动时打印。用户权限用 polymq user set NAME --access viewer 授予。",
	"You are signed on as %s, who was not given access to the console.":                                                                                                                            "您以 %s 的身份登录，但该用户没有控制台权限。", "Signed on as %s": "当前身份：%s",

	// What somebody may do
	"viewer": "查看者（viewer）", "operator": "操作者（operator）", "admin": "管理者（admin）",
	"You may not look into another account.": "您无权查看其他账号。", "This needs the access of %s, and yours is that of %s.": "此操作需要%s权限，而您的权限是%s。",
	"This shows bodies of messages, which you may not see.": "这会显示消息内容，您无权查看。", "This is for administrators of all accounts.": "仅限所有账号的管理员。",
	"What messages say is hidden from you.": "您无权查看消息内容。",

	// Errors of the core
	"%s (%s)": "%s(%s)", "A bound of the server is reached. Try again later.": "已达到服务器的上限，请稍后再试。", "A value is outside what is allowed.": "有一个值超出允许的范围。",
	"Something that is needed was left out.": "缺少必需的内容。", "You may not do this.": "您无权执行此操作。", "There is no such queue.": "没有这个队列。", "There is another queue of that name.": "已有同名但不同的队列。",
	"The message is too long.": "消息过长。", "The message is gone.": "消息已不存在。", "The receipt handle is not valid.": "接收句柄无效。",
	"The visibility timeout is over; receive the message again.": "可见性超时已过；请重新接收该消息。", "The message was received again since.": "该消息此后又被接收。",
	"The message would be hidden for longer than is allowed.": "消息隐藏的时间将超过允许的时长。", "There is no such topic.": "没有这个主题。", "There is another topic of that name.": "已有同名但不同的主题。",
	"The topic keeps an archive, which would be lost.": "该主题有归档，删除会丢失。", "There is no such subscription.": "没有这个订阅。", "There is another subscription of that name or endpoint.": "已有同名或同一端点的其他订阅。",
	"The topic has as many subscriptions as it may.": "该主题的订阅数已达上限。", "That is not to be delivered any more.": "该投递已不存在。", "There is no such access key.": "没有这个访问密钥。",
	"The id is another access key's.": "该 ID 已属于另一个访问密钥。", "There is no user, group, role or policy of that name.": "没有该名称的用户、用户组、角色或策略。", "The name is taken.": "名称已被占用。",
	"Something still depends on it.": "仍有其他内容依赖于它。", "It is built in and cannot be changed.": "它是内置的，无法更改。", "The account has as many of these as it may.": "该账号的数量已达上限。",
	"The text is not a valid policy.": "文本不是有效的策略。", "Too many messages of the queue are in flight.": "该队列处理中的消息过多。", "The dead-letter queue does not exist.": "死信队列不存在。",
	"The dead-letter queue does not take this queue's messages.": "该死信队列不接受此队列的消息。", "One queue is FIFO, the other is not.": "一个队列是 FIFO，另一个不是。",
	"This is no queue's dead-letter queue.": "这不是任何队列的死信队列。", "The queue to move to does not exist.": "目标队列不存在。", "The queue's messages are being moved already.": "该队列的消息正在移动中。",
	"Too many tasks move messages at the moment.": "目前移动任务过多。", "There is no such task.": "没有这个任务。", "The task has ended.": "任务已结束。", "There is no such fault rule.": "没有这个故障规则。",

	// Overview
	"Nothing here yet": "这里还没有内容", "Endpoint": "接入点",
	"This account has no queues in this region. Make one here, or point an SDK at this server and create one as you would in the cloud.": "该账号在此地域还没有队列。可以在这里创建，也可以让 SDK 指向本服务器，像在云上一样创建。",
	"Messages a second": "每秒消息数", "Messages in all queues": "所有队列中的消息", "Sent": "发送", "Received": "接收", "Deleted": "删除", "Published": "发布", "Messages": "消息",
	"In flight": "处理中", "The first minute is being counted.": "正在统计最初的数据。", "a second": "每秒", "In queues": "队列中", "messages": "条消息", "Oldest": "最早消息",
	"Rates are of this server, over all accounts; depths are of the database.": "速率为本服务器上所有账号之和；深度为整个数据库。",
	"Queues that hold most": "消息最多的队列", "No messages wait in the queues of this account and region.": "该账号与地域的队列中没有等待的消息。",

	// Queues
	"New queue": "新建队列", "Part of the name": "名称中的一部分", "standard": "标准", "Visible": "可见", "Delayed": "延迟", "Size": "大小", "Dead-letter queue": "死信队列",
	"Letters, digits, - and _": "字母、数字、- 与 _", "FIFO": "FIFO（顺序）", "Create queue": "创建队列", "Queue": "队列",
	"Messages of a group are received in the order of sending, each sent once; the name gets .fifo. It cannot be changed later.": "同组消息按发送顺序接收，且不重复；名称会加上 .fifo。创建后无法更改。",
	"No queue has this in its name": "没有名称包含该文字的队列", "No queues yet": "还没有队列",
	"Upper and lower case do not matter. The account and the region are chosen at the top.":                                  "不区分大小写。账号与地域在页面顶部选择。",
	"Make one with the button above, or create one with an SDK: the code is below. Queues of SQS and MNS are the same here.": "用上方按钮创建，或用 SDK 创建（代码见下方）。SQS 与 MNS 的队列在这里是同一个。",
	"Queue %s was created.": "队列 %s 已创建。", "Queue %s was deleted.": "队列 %s 已删除。", "There is a queue %s already.": "队列 %s 已存在。",
	"Visibility timeout": "可见性超时", "How long a received message stays hidden from others": "消息被接收后对其他消费者隐藏的时长",
	"Delay": "延迟时间", "Until a new message can first be received": "新消息多久之后才能被接收", "Retention": "保留时间", "After which messages are dropped": "超过后消息被丢弃",
	"Receive wait": "接收等待", "How long a receive waits for a first message": "没有消息时接收请求等待的时长", "Largest message": "最大消息", "Body and attributes together": "消息体与属性合计",
	"Where messages go that nobody manages to handle": "始终无法处理的消息的去处", "Receives before that": "转入前的接收次数", "How often a message is handed out at most": "一条消息最多被接收多少次",
	"Record what happens to each message": "记录每条消息的经历", "Needed for “Where is my message?”": "“我的消息在哪里？”需要它", "Deduplicate within message groups": "在消息组内去重",
	"Otherwise an id must be new in the whole queue": "否则去重 ID 在整个队列中必须唯一",
	"Deduplicate by content":                         "按内容去重", "A message without a deduplication id gets one of its body": "没有去重 ID 的消息以消息体生成一个",
	"Takes dead letters of": "接收哪些队列的死信", "any queue": "任意队列", "Names of queues; - for none": "队列名称；- 表示都不接收", "Bodies": "消息体编码", "as each client expects": "按各客户端的习惯",
	"as they were sent": "按发送时的原样", "always as text": "始终为文本", "always as base64": "始终为 base64", "How what MNS's SDKs encode is handed out": "MNS SDK 编码过的消息体如何交付",
	"Choose how bodies are handed out.": "请选择消息体的交付方式。", "Tags": "标签", "%s is no tag with a value, such as team=payments.": "%s 不是带值的标签，例如 team=payments。", "There may be at most %d tags.": "最多 %d 个标签。",
	"seconds": "秒", "hours": "小时", "minutes": "分钟", "days": "天", "bytes": "字节", "Save settings": "保存设置", "The settings were saved.": "设置已保存。", "About this queue": "关于此队列", "tag": "标签",
	"Purge…": "清空…", "Delete queue…": "删除队列…", "Remove all messages?": "移除所有消息？", "Delete this queue?": "删除此队列？", "Remove all messages": "移除所有消息", "Delete queue": "删除队列",
	"Messages in flight and delayed ones are removed too. This cannot be undone.": "处理中与延迟的消息也会被移除。此操作无法撤销。",
	"The queue goes with all its messages and settings. This cannot be undone.":   "队列连同其所有消息与设置都会被删除。此操作无法撤销。",
	"%s holds %s messages.": "%s 中有 %s 条消息。", "All messages of %s were removed.": "%s 的所有消息已移除。",
	"can be received now": "现在可以接收", "received and hidden": "已被接收、暂不可见", "not visible yet": "尚不可见", "bodies and attributes": "消息体与属性",
	"Send": "发送消息", "Body": "消息体", "Message group": "消息组", "Deduplication id": "去重 ID", "none: always new": "不填：总是新消息", "Attributes, delay, copies": "属性、延迟、份数",
	"Attributes": "属性", "Type": "类型", "String": "字符串", "Number": "数字", "Value": "值", "Another attribute": "再加一个属性", "Priority": "优先级", "1 is the most urgent": "1 最优先", "Copies": "份数",
	"Send message": "发送", "Receive": "接收消息", "Receive messages": "接收", "Show first": "查看最前", "History": "历史", "Dead letters": "死信",
	"As a consumer does: messages are hidden from others until the visibility timeout is over, and the receive counts.": "与消费者相同：在可见性超时之前对其他消费者隐藏，并计入接收次数。",
	"looked at, not received": "仅查看，不接收", "Text in bodies and attributes": "消息体与属性中的文字", "No messages": "没有消息",
	"Send one with the form above, or from code: the calls are below.": "用上方表单发送，或用代码发送（见下方）。",
	"More messages": "更多消息", "Searched %s of %s": "已搜索 %s / %s", "nothing found here": "这一部分没有找到", "Search on": "继续搜索", "Nothing to receive at the moment.": "目前没有可接收的消息。",
	"Not stored again: it is a duplicate of": "未再次存储：与此消息重复", "%d messages in all": "共 %d 条消息",
	"Message id": "消息 ID", "by account %s": "账号 %s", "%d times": "%d 次", "first": "首次", "never": "从未", "Visible again in": "距再次可见", "Sequence number": "序号", "Moved from": "移自", "system": "系统",
	"The body is no text; this is its base64.": "消息体不是文本；以下是其 base64。", "Only the beginning is shown.": "仅显示开头部分。", "Delete message": "删除消息", "Make visible now": "立即可见",
	"The message was deleted.": "消息已删除。", "The message is visible again.": "消息已重新可见。", "A message needs a body.": "消息需要消息体。",
	"The body has characters that messages cannot carry.": "消息体中有消息无法携带的字符。", "The message has %d bytes; the limit is %d.": "消息有 %d 字节；上限为 %d。",
	"A message has at most %d attributes.": "一条消息最多有 %d 个属性。", "The attribute %s is given twice.": "属性 %s 重复。", "An attribute is a String or a Number.": "属性的类型是字符串或数字。",
	"The attribute %s needs a value.": "属性 %s 需要一个值。", "The attribute %s is not a number.": "属性 %s 不是数字。",

	// Moves
	"Queues whose dead letters come here": "死信转入此处的队列", "after %d receives": "接收 %d 次之后",
	"None: this is no queue's dead-letter queue. Another queue's settings can name it.": "无：它不是任何队列的死信队列。可在其他队列的设置中指定。",
	"Its own dead letters go to": "它自己的死信转入", "Move messages": "移动消息", "where each came from": "各自来源的队列", "no limit": "不限", "Tasks": "任务", "Started": "开始时间", "Progress": "进度",
	"Moves what is visible now, back to the queues it came from or to another one. They arrive as new messages.": "将目前可见的消息移回来源队列或移到另一个队列，到达时为新消息。",
	"Nothing was moved from here lately.": "近期没有从此处移动消息。", "The messages are being moved.": "消息正在移动。", "The task is ending; what it has moved stays moved.": "任务正在结束；已移动的消息不会移回。",
	"RUNNING": "进行中", "CANCELLING": "取消中", "COMPLETED": "已完成", "CANCELLED": "已取消", "FAILED": "失败",

	// Trace
	"Attribute": "属性", "with the value": "值为", "By a message's id, or by a queue or topic and, if you like, a time or an attribute it was sent with.": "按消息 ID，或按队列或主题（可再加时间或发送时的属性）。",
	"It is in the queue %s now": "它现在在队列 %s 中", "What happened": "经历", "by the server itself": "由服务器自身", "receive %d": "第 %d 次接收", "visible": "可见于", "request": "请求", "Later": "更晚",
	"Nothing was recorded": "没有记录", "A message's whole life": "一条消息的一生", "Record from now on": "从现在开始记录",
	"Either nothing like it happened here, or the queue keeps no record of its messages. The account and the region are chosen at the top.":                                                                   "要么这里没有发生过，要么该队列不记录消息。账号与地域在页面顶部选择。",
	"Who sent it from where, who received it when, what became of it: sent, received, returned, moved, deleted, expired. Queues record it when their settings say so, or all of them with --message-log all.": "谁从哪里发送、谁在何时接收、结局如何：发送、接收、退回、移动、删除、过期。在队列设置中开启记录，或用 --message-log all 对所有队列开启。",
	"%s keeps no record of what happens to its messages.": "%s 不记录其消息的经历。", "What happens to messages of %s is recorded from now on.": "从现在起记录 %s 的消息的经历。",
	"%s is not a time, such as 2026-01-31 13:00:00.": "%s 不是时间，例如 2026-01-31 13:00:00。", "%s is not the id of a message.": "%s 不是消息 ID。",
	"peeked": "已查看", "published": "已发布", "pushed": "已推送", "push-failed": "推送失败", "matched": "匹配", "filtered out by": "被过滤于", "attempt %d": "第 %d 次尝试",
	"sent": "已发送", "duplicate": "重复发送", "received": "已接收", "returned": "已退回", "visibility-changed": "更改可见性", "deleted": "已删除", "moved": "已移动", "expired": "已过期",

	// Topics
	"New topic": "新建主题", "Beginning of the name": "名称开头", "Create topic": "创建主题", "Topic": "主题", "Subscription": "订阅",
	"Subscribed FIFO queues get messages in order, each once; the name gets .fifo.": "已订阅的 FIFO 队列按顺序且不重复地收到消息；名称会加上 .fifo。",
	"No topic begins with this": "没有以此开头的主题", "Upper and lower case matter. The account and the region are chosen at the top.": "区分大小写。账号与地域在页面顶部选择。", "No topics yet": "还没有主题",
	"A topic copies each message to all its subscribers: queues, HTTP endpoints, mail. Make one with the button above, or from code: the calls are below.": "主题把每条消息复制给所有订阅者：队列、HTTP 端点、邮件。用上方按钮创建，或用代码创建（见下方）。",
	"Topic %s was created.": "主题 %s 已创建。", "Topic %s was deleted.": "主题 %s 已删除。", "There is a topic %s already.": "主题 %s 已存在。",
	"Subscriptions": "订阅", "get messages": "接收消息", "Pending": "待确认", "wait to be confirmed": "等待确认", "On the way": "投递中", "messages not delivered to all yet": "条消息尚未全部投递",
	"Publish": "发布", "Message": "消息", "Attributes, subject, tag": "属性、标题、标签", "Subject": "标题", "Tag": "标签", "Publish message": "发布消息", "Subscribe": "订阅", "What": "对象", "A queue": "队列",
	"An HTTP endpoint": "HTTP 端点", "A mail address": "邮件地址", "Queue, URL or address": "队列、URL 或地址", "Filter and format": "过滤与格式", "Format": "格式", "The filter looks at": "过滤依据",
	"attributes": "属性", "the body": "消息体", "Filter": "过滤条件", "SNS: a filter policy; MNS: a tag; empty: every message": "SNS：过滤策略；MNS：标签；留空：所有消息", "Raw": "原始格式",
	"Messages as they were published, without an envelope": "按发布时的原样投递，不加封装", "Subscribe it": "订阅", "Delete topic…": "删除主题…", "Delete this topic?": "删除此主题？", "Delete topic": "删除主题",
	"Its subscriptions go with it, and what is still to be delivered is dropped. Messages that are in queues stay there.": "订阅随之删除，尚未投递的消息被丢弃；已在队列中的消息保留。",
	"Protocol": "协议", "every message": "所有消息", "Test filter": "测试过滤", "Nobody is subscribed": "还没有订阅者", "Until somebody is, published messages go nowhere. Subscribe a queue with the form above.": "在有人订阅之前，发布的消息无处可去。用上方表单订阅一个队列。",
	"Not published again: it is a duplicate of": "未再次发布：与此消息重复", "pending": "待确认", "confirmed": "已确认", "unsubscribed": "已退订", "orphaned": "主题已删除",
	"The endpoint must begin with http:// or https://.": "端点必须以 http:// 或 https:// 开头。", "%s is no mail address.": "%s 不是邮件地址。", "Choose what is to be subscribed.": "请选择订阅对象。",
	"%s is subscribed already.": "%s 已经订阅。", "%s was subscribed.": "%s 已订阅。", "%s is not subscribed any more.": "%s 已退订。",

	// Filter tester
	"Filter tester": "过滤测试", "Try a message against a filter": "用一条消息测试过滤条件", "Against": "对照", "this filter": "下面的过滤条件", "all subscriptions of the topic": "该主题的所有订阅", "Test": "测试",
	"Nothing is published.": "不会发布任何消息。", "Verdict": "结果", "Which key lets the message through, and which does not, is shown here.": "这里显示哪个键让消息通过、哪个不通过。",
	"The message goes through": "消息通过", "The message is held back": "消息被拦下", "Key": "键", "The filter wants": "过滤条件要求", "The message has": "消息中为", "met": "满足", "not met": "不满足",
	"nothing of that name": "没有这个名称", "There is no filter: every message goes through.": "没有过滤条件：所有消息都通过。", "Nobody is subscribed to this topic.": "该主题没有订阅者。",
	"The topic has more subscriptions; the first ones are shown.": "该主题还有更多订阅；仅显示前面的。",

	// Subscription
	"For what cannot be delivered": "接收无法投递的消息", "The settings were saved. They decide about what is published from now on.": "设置已保存，对此后发布的消息生效。", "Unsubscribe…": "退订…", "Unsubscribe": "退订",
	"End this subscription?": "结束此订阅？", "What is still to be delivered to it is dropped.": "尚未投递给它的消息会被丢弃。", "Still to be delivered": "待投递", "Attempts": "尝试次数", "Next attempt": "下次尝试",
	"Retry now": "立即重试", "To the dead-letter queue": "转入死信队列", "Skip": "跳过", "Nothing waits. Messages for queues are put there when they are published.": "没有等待的消息。发往队列的消息在发布时即放入队列。",
	"Last attempts": "最近的尝试", "Attempt": "第几次", "Outcome": "结果", "Status": "状态码", "Took": "耗时", "Answer": "响应", "delivered": "已投递", "given up": "已放弃", "to be retried": "将重试", "dead-lettered": "已转入死信队列",
	"No attempts were recorded. Those of the last day are shown.": "没有尝试记录。此处显示最近一天的尝试。", "The message is being delivered now.": "消息正在投递。", "The message went to the dead-letter queue.": "消息已转入死信队列。",

	// Outbox, keys
	"Messages that there was nowhere to send to: SMS, mobile pushes, and mail or function calls where no such server is set up. They are kept for a week.": "无处可发的消息：短信、移动推送，以及未配置服务器时的邮件和函数调用。保留一周。",
	"Nothing was kept": "没有保留的消息", "Publish to a phone number, or to a topic with a subscribed mail address, and read the message here.": "发布到手机号，或发布到订阅了邮件地址的主题，然后在这里查看消息。",
	"New access key": "新建访问密钥", "Requests must be signed with one of these keys.": "请求必须用其中一个密钥签名。",
	"Signatures are not verified at the moment (--auth off): any key is good. A known key tells its account.": "目前不校验签名（--auth off）：任何密钥都可用。已知密钥决定所属账号。",
	"none: the account itself": "不填：账号本身", "Administrator": "管理员", "May use the console and the JSON API, in all accounts": "可在所有账号中使用控制台与 JSON API", "Create key": "创建密钥",
	"The secret is shown only this once:": "Secret 仅显示这一次：", "the account": "账号本身", "administrator": "管理员", "ordinary": "普通", "disabled": "已禁用", "usable": "可用", "Disable": "禁用", "Enable": "启用", "Delete…": "删除…",
	"Delete this access key?": "删除此访问密钥？", "Requests that are signed with it are refused from then on. This cannot be undone.": "此后用它签名的请求会被拒绝。此操作无法撤销。", "Delete key": "删除密钥",
	"No access keys": "没有访问密钥", "While signatures are not verified, any will do. A twelve-digit key id stands for the account of that number.": "不校验签名时任何密钥都可用。十二位数字的密钥 ID 即代表该账号。",
	"Access key %s is disabled: requests that are signed with it are refused.": "访问密钥 %s 已禁用：用它签名的请求会被拒绝。", "Access key %s can be used again.": "访问密钥 %s 已重新启用。", "Access key %s was deleted.": "访问密钥 %s 已删除。",
	"You are logged in with this key. Log in with another one first.": "您正用此密钥登录，请先用另一个密钥登录。",

	// Audit
	"Audit": "审计", "Who managed what, and who was refused.": "谁管理了什么，以及谁被拒绝。", "User, key id or ARN": "用户、密钥 ID 或 ARN", "Action": "操作", "Resource": "资源",
	"Only changes": "仅更改", "Only failures": "仅失败", "Who": "谁", "From where": "来源", "went well": "成功", "refused": "被拒绝", "unknown": "未知",
	"Nothing was audited": "没有审计记录", "Calls that manage queues, topics and keys are written here, and calls that were refused. --audit says which, and --audit-retention for how long.": "管理队列、主题与密钥的调用，以及被拒绝的调用，都会记录在这里。--audit 决定记录哪些，--audit-retention 决定保留多久。",
	"Parameters": "参数", "Request id": "请求 ID", "Older": "更早",

	// Clock
	"For tests: an account's time can be moved forward, so that delays, visibility timeouts and retries come due at once.": "用于测试：可将账号的时间向前拨，使延迟、可见性超时与重试立即到期。",
	"The account's time": "账号的时间", "%s ahead": "超前 %s", "the present": "当前时间", "Move time forward": "向前拨时间", "By": "拨动", "Unit": "单位", "Move time": "拨动时间", "It cannot go back, except by a reset.": "除重置外无法拨回。",
	"Reset the account": "重置账号", "Removes all queues, topics and messages of account %s in every region, and sets its clock to the present.": "移除账号 %s 在所有地域的全部队列、主题与消息，并将时钟恢复为当前时间。", "Reset…": "重置…",
	"Remove everything of account %s?": "移除账号 %s 的全部内容？", "Reset account": "重置账号", "Say how far time is to be moved.": "请填写拨动多长时间。", "Time was moved forward by %s.": "时间已向前拨动 %s。",
	"Account %s is empty, and its time is the present.": "账号 %s 已清空，时间为当前时间。", "This is for servers that were started with --test-mode.": "仅适用于以 --test-mode 启动的服务器。",

	// Servers
	"All servers on one database show the same queues. Any of them may stop at any moment.": "同一数据库上的所有服务器显示相同的队列，任何一台都可以随时停止。",
	"Running since": "启动时间", "Version": "版本", "Last heard of": "最近联系", "Wakes receivers": "唤醒接收者", "this one": "本机", "%s ago": "%s 前", "at once, by notifications": "即时（通知）", "by looking every 250 ms": "每 250 毫秒查看一次",

	// Costs
	"Period": "时段", "Today": "今天", "%d days": "%d 天",
	"What this account's requests would have cost, had they all gone to one of the clouds. A request counts once for every 64 KB of its payload.": "如果该账号的全部请求都发往某一家云，会花多少钱。每 64 KB 载荷计一次请求。",
	"Empty receives": "空接收", "%s on AWS; long polling avoids them": "在 AWS 上值 %s；长轮询可避免", "of all receives": "占全部接收", "Requests to": "请求对象", "Requests": "请求数", "Billed as": "计费次数", "Together": "合计",
	"No requests in this time": "此时段没有请求", "Requests of SDKs to queues and topics are counted here within a few seconds.": "SDK 对队列与主题的请求会在几秒内计入。", "Prices": "价格", "of a million requests": "每百万次请求",
	"ordered": "顺序消息", "Currency": "货币", "Save prices": "保存价格", "The prices were saved.": "价格已保存。", "A price is a number from 0 to %d.": "价格是 0 到 %d 之间的数。",
	"Free tiers, discounts, data transfer and daily fees of queues are left out. The payload is measured on the wire, without 2 KB for what is around it.": "不含免费额度、折扣、流量费与队列的日租费。载荷按线上字节计量，扣除 2 KB 的封装。",
	"SQS, standard queues": "SQS 标准队列", "SQS, FIFO queues": "SQS FIFO 队列", "SNS, topics": "SNS 主题", "MNS, queues": "MNS 队列", "MNS, topics": "MNS 主题",

	// Units of time
	"d": "天", "h": "小时", "min": "分", "s": "秒",

	// Users, groups and roles
	"Access": "权限", "Users and roles": "用户与角色", "Users": "用户", "Groups": "用户组", "Roles": "角色", "user": "用户", "group": "用户组", "role": "角色", "Policies": "策略", "Policy": "策略", "Description": "说明", "Delete": "删除", "About": "关于",
	"New user": "新建用户", "New group": "新建用户组", "New role": "新建角色", "Create user": "创建用户", "Create group": "创建用户组", "Create role": "创建角色", "%s was created.": "%s 已创建。", "%s was deleted.": "%s 已删除。",
	"People and programs with access keys. Policies say what they may do with queues and topics, their access what they may do here.": "持有访问密钥的人员与程序。策略决定其可对队列与主题做什么，权限决定其可在此处做什么。",
	"A group's policies count for all users in it.":                                                    "用户组的策略对组内所有用户生效。",
	"Who a role's trust policy lets in assumes it for a while, by temporary keys (AssumeRole of STS).": "信任策略所允许者可通过临时密钥（STS 的 AssumeRole）暂时扮演角色。",
	"No users yet": "还没有用户", "No groups yet": "还没有用户组", "No roles yet": "还没有角色", "A group gives the same policies to several users.": "用户组把相同的策略授予多个用户。",
	"Make one with the button above, with the access key that a program signs with or a person logs in with.":              "用上方按钮创建，并附带程序签名或人员登录所用的访问密钥。",
	"A role lets others act for this account for a while. Make one with the button above, or by CreateRole of IAM or RAM.": "角色让他人暂时代表此账号行事。用上方按钮创建，或调用 IAM 或 RAM 的 CreateRole。",
	"With an access key": "附带访问密钥", "Its secret is shown only once": "其 Secret 只显示一次", "with bodies": "可看消息内容", "A viewer sees bodies of messages": "查看者可看消息内容", "Operators and admins always do": "操作者与管理者始终可看",
	"To this console and the JSON API: a viewer looks, an operator changes queues and topics, an admin manages users too": "对本控制台与 JSON API：查看者只看，操作者可更改队列与主题，管理者还可管理用户",
	"Language of its policies": "策略语言", "Trust policy": "信任策略", "Says who may assume the role": "决定谁可以扮演该角色", "Longest session": "最长会话", "Boundary": "权限边界", "A policy that other policies cannot go beyond": "其他策略无法超出的策略",
	"Attached policies": "已附加的策略", "built in": "内置", "Built in": "内置", "Detach": "解除", "None.": "无。", "Name or ARN of a policy": "策略的名称或 ARN", "Attach policy": "附加策略",
	"In none. A group's page puts users into it.": "不在任何组中。可在用户组的页面加入。", "Members": "成员", "Take out": "移出", "Put in": "加入", "Policies of its own": "自有策略", "New policy of its own": "新建自有策略",
	"Text of the policy": "策略文本", "Save policy": "保存策略", "Delete policy": "删除策略", "Delete %s?": "删除 %s？", "Access keys and policies of its own go with it. This cannot be undone.": "其访问密钥与自有策略会一并删除。此操作无法撤销。",
	"You are this user. Somebody else must change what you may do.": "这是您自己。须由他人更改您的权限。", "Policy %s was attached.": "策略 %s 已附加。", "Policy %s was detached.": "策略 %s 已解除。",

	// Policies
	"New policy": "新建策略", "Create policy": "创建策略", "Language": "语言", "Of this account": "本账号的", "Explain a decision": "解释判定", "Attached to": "附加于", "No policies yet": "还没有策略",
	"A policy allows or denies actions on queues and topics. Make one with the button above, or attach one that is built in.": "策略允许或拒绝对队列与主题的操作。用上方按钮创建，或附加一个内置策略。",
	"Policy %s was created.": "策略 %s 已创建。", "Policy %s was saved.": "策略 %s 已保存。", "Policy %s was deleted.": "策略 %s 已删除。", "version %d": "版本 %d", "Version %d counts now.": "现在以版本 %d 为准。", "Versions": "版本", "counts": "生效", "Let it count": "使其生效",
	"It becomes a version, which counts at once. Five are kept.": "保存为新版本并立即生效；最多保留五个版本。", "Nobody yet: the page of a user, a group or a role attaches it.": "尚未附加：可在用户、用户组或角色的页面附加。",
	"It goes with all its versions. It must be attached to nobody.":                                                          "所有版本一并删除。须先解除所有附加。",
	"What a server decides that enforces policies (--auth enforce), and which statement of which policy it is that decides.": "执行策略的服务器（--auth enforce）会如何判定，以及由哪个策略的哪条语句决定。",
	"Who asks": "请求者", "ARN of a user or a role, of the account's root, or * for nobody in particular": "用户、角色或账号 root 的 ARN；* 表示匿名", "or an access key id": "或访问密钥 ID", "What is asked for": "操作", "Of what": "资源", "Explain": "解释",
	"Condition keys": "条件键", "One in each line, with its value": "每行一个，附上其值", "%s is no condition key with a value, such as aws:SourceIp=10.1.2.3.": "%s 不是带值的条件键，例如 aws:SourceIp=10.1.2.3。", "Say what is asked for, and of what.": "请填写操作与资源。",
	"allowed": "允许", "denied by a statement": "被语句拒绝", "denied, since nothing allows it": "拒绝：没有任何策略允许", "nobody in particular": "匿名", "Missing": "缺少", "Statement": "语句", "number %d": "第 %d 条", "none is needed: this is the account itself": "无需语句：这是账号本身",
	"What a client is told": "客户端得到的说明",

	// Faults
	"Faults": "故障", "New rule": "新建规则", "Create rule": "创建规则", "Effect": "效果", "Calls": "调用", "Hits": "命中次数", "Until": "截止", "Operations": "操作", "all": "全部", "none: all of them": "不选：全部",
	"For tests: rules by which calls of this account go wrong, to see what programs make of it.": "用于测试：让该账号的调用按规则出错，观察程序如何应对。",
	"Nothing goes wrong on purpose": "没有人为的故障", "A rule lets calls fail or come late, or messages come twice or in another order.": "规则可让调用失败或延迟，或让消息重复、乱序。",
	"A rule of the same name is replaced": "同名规则会被替换", "Queue or topic": "队列或主题", "* and ? stand for others": "* 与 ? 为通配符", "Calls that are hit, in percent": "命中的调用（百分比）", "Hits at most": "最多命中", "Holds for": "有效时长", "until it is deleted": "直到删除",
	"Of the effect": "效果的参数", "Late by at least": "至少延迟", "Late by at most": "至多延迟", "Only the answer is lost": "仅丢失应答", "The call is done, and answered with the error": "调用已执行，但以错误应答",
	"The rule %s holds.": "规则 %s 已生效。", "The rule %s does not hold any more.": "规则 %s 已失效。", "error": "错误", "latency": "延迟", "reorder": "乱序",
	"send": "发送", "receive": "接收", "delete": "删除", "visibility": "更改可见性", "publish": "发布",
}
