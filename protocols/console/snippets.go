package console

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/polymq/polymq/core"
)

// snippet is a call that does what the page does, to paste.
type snippet struct {
	Tool string // AWS CLI, boto3, MNS SDK, curl
	Text string
}

// tools in the order in which they are shown.
const (
	awsCLI = "AWS CLI"
	boto3  = "Python · boto3"
	mnsSDK = "Python · aliyun-mns-sdk"
	python = "Python"
	curl   = "curl"
	polymq = "polymq"
)

// snippetOf fills in the endpoint as the browser reached it, the account, the region and credentials.
func (x *exchange) snippetOf(tool, text string, pairs ...string) snippet {
	id, secret, header, headers, key := "test", "test", "", "", ""
	if x.account != "000000000000" {
		id = x.account
	}
	if x.session.key != nil {
		id, secret, header = "ACCESS_KEY_ID", "SECRET", ` -H "Authorization: Bearer ACCESS_KEY_ID:SECRET"` // #nosec G101 -- to be filled in
		headers, key = `, headers={"Authorization": "Bearer ACCESS_KEY_ID:SECRET"}`, "POLYMQ_ADMIN_KEY=ACCESS_KEY_ID:SECRET \\\n"
	}
	replace := append([]string{"{headers}", headers, "{url}", x.caller.BaseURL, "{region}", x.region, "{account}", x.account, "{id}", id, "{secret}", secret}, pairs...)
	text = strings.NewReplacer(replace...).Replace(text)
	switch tool {
	case awsCLI:
		text = fmt.Sprintf("AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s \\\naws --endpoint-url %s --region %s %s", id, secret, x.caller.BaseURL, x.region, text)
	case curl:
		text = "curl" + header + " " + text
	case polymq:
		text = key + text
	}
	return snippet{tool, text}
}

// pythonClient makes a client of boto3.
const pythonClient = `import boto3
{service} = boto3.client("{service}", endpoint_url="{url}", region_name="{region}",
    aws_access_key_id="{id}", aws_secret_access_key="{secret}")
`

// mnsAccount makes an account of the MNS SDK.
const mnsAccount = `from mns.account import Account
account = Account("{mns}", "{id}", "{secret}")
`

// mnsEndpoint is where the account's queues of the region are for SDKs of MNS. These name no region in their
// requests: it is the server's own, or in the host name, which then has to lead here.
func (x *exchange) mnsEndpoint() (endpoint, note string) {
	base, err := url.Parse(x.caller.BaseURL)
	if x.region == x.caller.Region || err != nil {
		return x.caller.BaseURL, ""
	}
	domain := base.Hostname()
	if _, err := netip.ParseAddr(domain); err == nil {
		domain = "localhost"
	}
	base.Host = strings.TrimSuffix(net.JoinHostPort(x.account+".mns."+x.region+"."+domain, base.Port()), ":")
	return base.String(), "# the host name tells the region: have " + base.Hostname() + " lead to this server, in /etc/hosts or by DNS\n"
}

// scopeQuery names the account and the region to the JSON API.
const scopeQuery = "account={account}&region={region}"

func (x *exchange) boto(service, text string, pairs ...string) snippet {
	return x.snippetOf(boto3, strings.ReplaceAll(pythonClient, "{service}", service)+text, pairs...)
}

func (x *exchange) mns(text string, pairs ...string) snippet {
	endpoint, note := x.mnsEndpoint()
	return x.snippetOf(mnsSDK, note+mnsAccount+text, append(pairs, "{mns}", endpoint)...)
}

func overviewSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(awsCLI, "sqs create-queue --queue-name orders"),
		x.boto("sqs", `url = sqs.create_queue(QueueName="orders")["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="hello")`),
		x.mns(`from mns.queue import QueueMeta, Message
queue = account.get_queue("orders")
queue.create(QueueMeta())
queue.send_message(Message("hello"))`),
		x.snippetOf(curl, `-X POST "{url}/api/v1/queues?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"name": "orders"}'`),
	}
}

func queuesSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(awsCLI, "sqs list-queues"),
		x.boto("sqs", `print(sqs.list_queues().get("QueueUrls", []))`),
		x.mns(`print(account.list_queue()[0])`),
		x.snippetOf(curl, `"{url}/api/v1/queues?`+scopeQuery+`"`),
	}
}

func queueSnippets(x *exchange, queue *core.Queue) []snippet {
	group, pythonGroup, jsonGroup, mnsNote := "", "", "", ""
	if queue.FIFO {
		group = ` --message-group-id a --message-deduplication-id 1`
		pythonGroup = `, MessageGroupId="a", MessageDeduplicationId="1"`
		jsonGroup = `, "group_id": "a", "deduplication_id": "1"`
		mnsNote = "message.set_message_group_id(\"a\")\n"
	}
	name := []string{"{queue}", queue.Name.Name}
	return []snippet{
		x.snippetOf(awsCLI, `sqs send-message --queue-url {url}/{account}/{queue} \
    --message-body hello`+group+`
AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} \
aws --endpoint-url {url} --region {region} sqs receive-message --queue-url {url}/{account}/{queue} --wait-time-seconds 5`, name...),
		x.boto("sqs", `url = sqs.get_queue_url(QueueName="{queue}")["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="hello"`+pythonGroup+`)
for m in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []):
    print(m["Body"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])`, name...),
		x.mns(`from mns.queue import Message
queue = account.get_queue("{queue}")
message = Message("hello")
`+mnsNote+`queue.send_message(message)
received = queue.receive_message(5)
print(received.message_body)
queue.delete_message(received.receipt_handle)`, name...),
		x.snippetOf(curl, `-X POST "{url}/api/v1/queues/{queue}/messages?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"messages": [{"body": "hello"`+jsonGroup+`}]}'`, name...),
	}
}

func settingsSnippets(x *exchange) []snippet {
	name := []string{"{queue}", x.queue().Name}
	return []snippet{
		x.snippetOf(awsCLI, `sqs set-queue-attributes --queue-url {url}/{account}/{queue} \
    --attributes VisibilityTimeout=60`, name...),
		x.boto("sqs", `url = sqs.get_queue_url(QueueName="{queue}")["QueueUrl"]
sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})`, name...),
		x.mns(`from mns.queue import QueueMeta
meta = QueueMeta()
meta.set_visibilitytimeout(60)
account.get_queue("{queue}").set_attributes(meta)`, name...),
		x.snippetOf(curl, `-X PATCH "{url}/api/v1/queues/{queue}?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"visibility_timeout_seconds": 60}'`, name...),
	}
}

func movesSnippets(x *exchange) []snippet {
	name := []string{"{queue}", x.queue().Name}
	return []snippet{
		x.snippetOf(awsCLI, `sqs start-message-move-task \
    --source-arn arn:aws:sqs:{region}:{account}:{queue}`, name...),
		x.boto("sqs", `sqs.start_message_move_task(SourceArn="arn:aws:sqs:{region}:{account}:{queue}")`, name...),
		x.mns(`# MNS has no call that moves messages: receive them here and send them there
queue = account.get_queue("{queue}")
message = queue.receive_message(5)
account.get_queue("DESTINATION").send_message(message)
queue.delete_message(message.receipt_handle)`, name...),
		x.snippetOf(curl, `-X POST "{url}/api/v1/queues/{queue}/moves?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{}'`, name...),
	}
}

func traceSnippets(x *exchange, id, queue string) []snippet {
	path, whose := "messages/"+cmp.Or(id, "MESSAGE_ID")+"/log", "account={account}" // ids are unique in all regions
	if id == "" && queue != "" {
		path, whose = "queues/"+queue+"/log", scopeQuery
	}
	pair := []string{"{path}", path}
	command := "polymq log " + cmp.Or(id, "MESSAGE_ID")
	if id == "" && queue != "" {
		command = "polymq log --queue " + queue
	}
	return []snippet{
		x.snippetOf(polymq, command+" --endpoint {url} --account {account} --region {region}"),
		x.snippetOf(curl, `"{url}/api/v1/{path}?`+whose+`"`, pair...),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/{path}?`+whose+`"{headers})
for event in json.load(urllib.request.urlopen(request))["events"]:
    print(event["at"], event["kind"], event.get("queue"))`, pair...),
	}
}

func topicsSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(awsCLI, "sns create-topic --name alerts"),
		x.boto("sns", `arn = sns.create_topic(Name="alerts")["TopicArn"]
print([t["TopicArn"] for t in sns.list_topics()["Topics"]])`),
		x.mns(`from mns.topic import TopicMeta
account.get_topic("alerts").create(TopicMeta())
print(account.list_topic()[0])`),
		x.snippetOf(curl, `"{url}/api/v1/topics?`+scopeQuery+`"`),
	}
}

func topicSnippets(x *exchange, topic *core.Topic) []snippet {
	name := []string{"{topic}", topic.Name.Name}
	group, pythonGroup, jsonGroup, mnsNote, endpoint := "", "", "", "", "orders"
	if topic.FIFO {
		group, pythonGroup = " --message-group-id a --message-deduplication-id 1", `, MessageGroupId="a", MessageDeduplicationId="1"`
		jsonGroup, mnsNote, endpoint = `, "group_id": "a", "deduplication_id": "1"`, "message.set_message_group_id(\"a\")\n", "orders.fifo"
	}
	return []snippet{
		x.snippetOf(awsCLI, `sns publish --topic-arn arn:aws:sns:{region}:{account}:{topic} \
    --message hello --message-attributes '{"kind":{"DataType":"String","StringValue":"order"}}'`+group, name...),
		x.boto("sns", `arn = "arn:aws:sns:{region}:{account}:{topic}"
sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:{region}:{account}:`+endpoint+`")
sns.publish(TopicArn=arn, Message="hello"`+pythonGroup+`,
    MessageAttributes={"kind": {"DataType": "String", "StringValue": "order"}})`, name...),
		x.mns(`from mns.topic import TopicMessage
message = TopicMessage("hello")
`+mnsNote+`account.get_topic("{topic}").publish_message(message)`, name...),
		x.snippetOf(curl, `-X POST "{url}/api/v1/topics/{topic}/messages?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"messages": [{"body": "hello"`+jsonGroup+`}]}'`, name...),
	}
}

func topicSettingsSnippets(x *exchange) []snippet {
	name := []string{"{topic}", x.topic().Name}
	return []snippet{
		x.snippetOf(awsCLI, `sns set-topic-attributes --topic-arn arn:aws:sns:{region}:{account}:{topic} \
    --attribute-name DisplayName --attribute-value Orders`, name...),
		x.boto("sns", `sns.set_topic_attributes(TopicArn="arn:aws:sns:{region}:{account}:{topic}",
    AttributeName="DisplayName", AttributeValue="Orders")`, name...),
		x.mns(`from mns.topic import TopicMeta
account.get_topic("{topic}").set_attributes(TopicMeta(maximum_message_size=65536))`, name...),
		x.snippetOf(curl, `-X PATCH "{url}/api/v1/topics/{topic}?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"max_message_bytes": 65536}'`, name...),
	}
}

func subscriptionSnippets(x *exchange, sub *core.Subscription) []snippet {
	name := []string{"{topic}", x.topic().Name, "{subscription}", sub.Name.Name}
	return []snippet{
		x.snippetOf(awsCLI, `sns get-subscription-attributes \
    --subscription-arn arn:aws:sns:{region}:{account}:{topic}:{subscription}`, name...),
		x.boto("sns", `sns.set_subscription_attributes(
    SubscriptionArn="arn:aws:sns:{region}:{account}:{topic}:{subscription}",
    AttributeName="FilterPolicy", AttributeValue='{"kind": ["order"]}')`, name...),
		x.mns(`print(account.get_subscription("{topic}", "{subscription}").get_attributes().endpoint)`, name...),
		x.snippetOf(curl, `"{url}/api/v1/topics/{topic}/subscriptions/{subscription}/deliveries?`+scopeQuery+`"`, name...),
	}
}

func outboxSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(awsCLI, `sns publish --phone-number +15550100 --message "Your code is 1234"`),
		x.boto("sns", `sns.publish(PhoneNumber="+15550100", Message="Your code is 1234")`),
		x.snippetOf(curl, `"{url}/api/v1/outbox?`+scopeQuery+`"`),
	}
}

func keysSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(awsCLI, "sts get-caller-identity"),
		x.boto("sts", `print(sts.get_caller_identity()["Account"])`),
		x.snippetOf(curl, `-X POST "{url}/api/v1/keys" \
  -H "Content-Type: application/json" -d '{"account": "{account}"}'`),
	}
}

func clockSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(curl, `-X POST "{url}/api/v1/clock" \
  -H "Content-Type: application/json" -d '{"account": "{account}", "advance_seconds": 60}'`),
		x.snippetOf(python, `import urllib.request
urllib.request.urlopen(urllib.request.Request("{url}/api/v1/reset?account={account}", method="POST"{headers}))`),
	}
}

func serversSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(curl, `"{url}/api/v1/servers"`),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/servers"{headers})
for server in json.load(urllib.request.urlopen(request))["servers"]:
    print(server["name"], server["version"])`),
		x.snippetOf(polymq, "polymq doctor --endpoint {url}"),
	}
}

func costsSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(curl, `"{url}/api/v1/usage?account={account}&days=30"`),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/usage?account={account}&days=30"{headers})
for line in json.load(urllib.request.urlopen(request))["usage"]:
    print(line["service"], line["requests"], line["empty_receives"])`),
	}
}

func identitiesSnippets(x *exchange, k identityKind) []snippet {
	word := strings.ToLower(k.Action)
	return []snippet{
		x.snippetOf(awsCLI, "iam list-"+word+"s"),
		x.boto("iam", `print([i["`+k.Action+`Name"] for i in iam.list_`+word+`s()["`+k.Action+`s"]])`),
		x.snippetOf(polymq, "polymq "+word+" list --endpoint {url} --account {account}"),
		x.snippetOf(curl, `"{url}/api/v1/`+word+`s?account={account}"`),
	}
}

func identitySnippets(x *exchange, k identityKind, name string) []snippet {
	word := strings.ToLower(k.Action)
	pair := []string{"{name}", name}
	return []snippet{
		x.snippetOf(awsCLI, `iam attach-`+word+`-policy --`+word+`-name {name} \
    --policy-arn arn:aws:iam::aws:policy/AmazonSQSFullAccess`, pair...),
		x.boto("iam", `iam.attach_`+word+`_policy(`+k.Action+`Name="{name}",
    PolicyArn="arn:aws:iam::aws:policy/AmazonSQSFullAccess")`, pair...),
		x.snippetOf(curl, `"{url}/api/v1/`+word+`s/{name}?account={account}"`, pair...),
	}
}

func policiesSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(awsCLI, "iam list-policies --scope Local"),
		x.boto("iam", `print([p["Arn"] for p in iam.list_policies(Scope="Local")["Policies"]])`),
		x.snippetOf(curl, `"{url}/api/v1/policies?account={account}"`),
	}
}

func policySnippets(x *exchange, p *core.Policy) []snippet {
	all := []snippet{x.snippetOf(curl, `"{url}/api/v1/policies/{name}?account={account}&cloud={cloud}"`, "{name}", p.Name, "{cloud}", p.Cloud)}
	if p.Cloud == core.AWS {
		all = append([]snippet{
			x.snippetOf(awsCLI, "iam get-policy --policy-arn "+p.ARN()),
			x.boto("iam", `print(iam.get_policy(PolicyArn="`+p.ARN()+`")["Policy"])`),
		}, all...)
	}
	return all
}

func explainSnippets(x *exchange, asked *explainPage) []snippet {
	pairs := []string{"{principal}", cmp.Or(asked.Principal, "arn:aws:iam::"+x.account+":root"), "{action}", cmp.Or(asked.Action, "sqs:SendMessage"),
		"{resource}", cmp.Or(asked.Resource, "arn:aws:sqs:"+x.region+":"+x.account+":orders")}
	return []snippet{
		x.snippetOf(polymq, `polymq policy explain --endpoint {url} --account {account} \
  --principal {principal} --action {action} \
  --resource {resource}`, pairs...),
		x.snippetOf(curl, `-X POST "{url}/api/v1/policies:explain?account={account}" \
  -H "Content-Type: application/json" \
  -d '{"principal": "{principal}", "action": "{action}", "resource": "{resource}"}'`, pairs...),
	}
}

func faultsSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(polymq, "polymq fault create slow --endpoint {url} --account {account} \\\n  --effect latency --max 2 --probability 0.5"),
		x.snippetOf(curl, `-X POST "{url}/api/v1/faults?account={account}" \
  -H "Content-Type: application/json" -d '{"name": "slow", "effect": "latency", "max_seconds": 2, "probability": 0.5}'`),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/faults?account={account}"{headers})
for rule in json.load(urllib.request.urlopen(request))["faults"]:
    print(rule["name"], rule["effect"], rule["hits"])`),
	}
}

func auditSnippets(x *exchange) []snippet {
	return []snippet{
		x.snippetOf(polymq, "polymq audit --endpoint {url} --account {account} --since 1h"),
		x.snippetOf(curl, `"{url}/api/v1/audit?account={account}"`),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/audit?account={account}"{headers})
for event in json.load(urllib.request.urlopen(request))["events"]:
    print(event["eventTime"], event["eventName"], event.get("errorCode", "ok"))`),
	}
}

func alertSnippets(x *exchange) []snippet {
	const late = `{"name": "late", "metric": "oldest_message_age", "queue": "orders*", "threshold": 300, "for_seconds": 60, "to": [{"type": "queue", "target": "ops"}]}`
	return []snippet{
		x.snippetOf(polymq, `polymq alert create late --endpoint {url} --account {account} --region {region} \
  --metric oldest_message_age --queue 'orders*' --above 300 --for 1m --to queue=ops`),
		x.snippetOf(curl, `-X POST "{url}/api/v1/alerts?`+scopeQuery+`" \
  -H "Content-Type: application/json" \
  -d '`+late+`'`),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/alerts?`+scopeQuery+`"{headers})
for alert in json.load(urllib.request.urlopen(request))["alerts"]:
    print(alert["name"], alert.get("state", "not evaluated yet"))`),
	}
}
