package console

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
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
	return base.String(), "the host name tells the region: have " + base.Hostname() + " lead to this server, in /etc/hosts or by DNS"
}

// scopeQuery names the account and the region to the JSON API.
const scopeQuery = "account={account}&region={region}"

// inGroup are the parameters of a message for a FIFO queue or topic.
var inGroup = []awsField{{"MessageGroupId", "a"}, {"MessageDeduplicationId", "1"}}

func overviewSnippets(x *exchange) []snippet {
	return slices.Concat(x.aws([]awsCall{
		{service: "sqs", action: "CreateQueue", fields: []awsField{{"QueueName", "orders"}}, show: "QueueUrl"},
		{service: "sqs", action: "SendMessage", fields: []awsField{{"QueueUrl", "{url}/{account}/orders"}, {"MessageBody", "hello"}}},
	}), x.mns(mnsOverview()), []snippet{
		x.snippetOf(curl, `-X POST "{url}/api/v1/queues?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"name": "orders"}'`),
	})
}

func queuesSnippets(x *exchange) []snippet {
	return slices.Concat(x.aws([]awsCall{{service: "sqs", action: "ListQueues", list: "QueueUrls"}}), x.mns(mnsQueues()), []snippet{
		x.snippetOf(curl, `"{url}/api/v1/queues?`+scopeQuery+`"`),
	})
}

func queueSnippets(x *exchange, queue *core.Queue) []snippet {
	url, jsonGroup := awsField{"QueueUrl", "{url}/{account}/{queue}"}, ""
	sent := []awsField{url, {"MessageBody", "hello"}}
	if queue.FIFO {
		sent = append(sent, inGroup...)
		jsonGroup = `, "group_id": "a", "deduplication_id": "1"`
	}
	name := []string{"{queue}", queue.Name.Name}
	return slices.Concat(x.aws([]awsCall{
		{service: "sqs", action: "SendMessage", fields: sent},
		{service: "sqs", action: "ReceiveMessage", fields: []awsField{url, {"WaitTimeSeconds", 5}}, list: "Messages", show: "Body", then: []awsCall{
			{service: "sqs", action: "DeleteMessage", fields: []awsField{url, {"ReceiptHandle", member("ReceiptHandle")}}},
		}},
	}, name...), x.mns(mnsQueue(queue.FIFO), name...), []snippet{
		x.snippetOf(curl, `-X POST "{url}/api/v1/queues/{queue}/messages?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"messages": [{"body": "hello"`+jsonGroup+`}]}'`, name...),
	})
}

func settingsSnippets(x *exchange) []snippet {
	name := []string{"{queue}", x.queue().Name}
	return slices.Concat(x.aws([]awsCall{
		{service: "sqs", action: "SetQueueAttributes", fields: []awsField{{"QueueUrl", "{url}/{account}/{queue}"}, {"Attributes", attributeMap{"VisibilityTimeout": "60"}}}},
	}, name...), x.mns(mnsSettings(), name...), []snippet{
		x.snippetOf(curl, `-X PATCH "{url}/api/v1/queues/{queue}?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"visibility_timeout_seconds": 60}'`, name...),
	})
}

func movesSnippets(x *exchange) []snippet {
	name := []string{"{queue}", x.queue().Name}
	return slices.Concat(x.aws([]awsCall{
		{service: "sqs", action: "StartMessageMoveTask", fields: []awsField{{"SourceArn", "arn:aws:sqs:{region}:{account}:{queue}"}}, show: "TaskHandle"},
	}, name...), x.mns(mnsMoves(), name...), []snippet{
		x.snippetOf(curl, `-X POST "{url}/api/v1/queues/{queue}/moves?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{}'`, name...),
	})
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
	return slices.Concat(x.aws([]awsCall{
		{service: "sns", action: "CreateTopic", fields: []awsField{{"Name", "alerts"}}},
		{service: "sns", action: "ListTopics", list: "Topics", show: "TopicArn"},
	}), x.mns(mnsTopics()), []snippet{
		x.snippetOf(curl, `"{url}/api/v1/topics?`+scopeQuery+`"`),
	})
}

func topicSnippets(x *exchange, topic *core.Topic) []snippet {
	name := []string{"{topic}", topic.Name.Name}
	arn, jsonGroup, queue := awsField{"TopicArn", "arn:aws:sns:{region}:{account}:{topic}"}, "", "orders"
	published := []awsField{arn, {"Message", "hello"}, {"MessageAttributes", messageAttribute{"kind", "order"}}}
	if topic.FIFO {
		published = append(published, inGroup...)
		jsonGroup, queue = `, "group_id": "a", "deduplication_id": "1"`, "orders.fifo"
	}
	return slices.Concat(x.aws([]awsCall{
		{service: "sns", action: "Subscribe", fields: []awsField{arn, {"Protocol", "sqs"}, {"Endpoint", "arn:aws:sqs:{region}:{account}:" + queue}}},
		{service: "sns", action: "Publish", fields: published},
	}, name...), x.mns(mnsTopic(topic.FIFO), name...), []snippet{
		x.snippetOf(curl, `-X POST "{url}/api/v1/topics/{topic}/messages?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"messages": [{"body": "hello"`+jsonGroup+`}]}'`, name...),
	})
}

func topicSettingsSnippets(x *exchange) []snippet {
	name := []string{"{topic}", x.topic().Name}
	return slices.Concat(x.aws([]awsCall{
		{service: "sns", action: "SetTopicAttributes", fields: []awsField{{"TopicArn", "arn:aws:sns:{region}:{account}:{topic}"}, {"AttributeName", "DisplayName"}, {"AttributeValue", "Orders"}}},
	}, name...), x.mns(mnsTopicSettings(), name...), []snippet{
		x.snippetOf(curl, `-X PATCH "{url}/api/v1/topics/{topic}?`+scopeQuery+`" \
  -H "Content-Type: application/json" -d '{"max_message_bytes": 65536}'`, name...),
	})
}

func subscriptionSnippets(x *exchange, sub *core.Subscription) []snippet {
	name := []string{"{topic}", x.topic().Name, "{subscription}", sub.Name.Name}
	return slices.Concat(x.aws([]awsCall{
		{service: "sns", action: "SetSubscriptionAttributes", fields: []awsField{
			{"SubscriptionArn", "arn:aws:sns:{region}:{account}:{topic}:{subscription}"}, {"AttributeName", "FilterPolicy"}, {"AttributeValue", `{"kind": ["order"]}`},
		}},
	}, name...), x.mns(mnsSubscription(), name...), []snippet{
		x.snippetOf(curl, `"{url}/api/v1/topics/{topic}/subscriptions/{subscription}/deliveries?`+scopeQuery+`"`, name...),
	})
}

func outboxSnippets(x *exchange) []snippet {
	sms := []awsField{{"PhoneNumber", "+15550100"}, {"Message", "Your code is 1234"}}
	return append(x.aws([]awsCall{{service: "sns", action: "Publish", fields: sms}}), x.snippetOf(curl, `"{url}/api/v1/outbox?`+scopeQuery+`"`))
}

func keysSnippets(x *exchange) []snippet {
	return append(x.aws([]awsCall{{service: "sts", action: "GetCallerIdentity", show: "Account"}}),
		x.snippetOf(curl, `-X POST "{url}/api/v1/keys" \
  -H "Content-Type: application/json" -d '{"account": "{account}"}'`),
	)
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
	return append(x.aws([]awsCall{{service: "iam", action: "List" + k.Action + "s", list: k.Action + "s", show: k.Action + "Name"}}),
		x.snippetOf(polymq, "polymq "+word+" list --endpoint {url} --account {account}"),
		x.snippetOf(curl, `"{url}/api/v1/`+word+`s?account={account}"`),
	)
}

func identitySnippets(x *exchange, k identityKind, name string) []snippet {
	attached := []awsField{{k.Action + "Name", "{name}"}, {"PolicyArn", "arn:aws:iam::aws:policy/AmazonSQSFullAccess"}}
	return append(x.aws([]awsCall{{service: "iam", action: "Attach" + k.Action + "Policy", fields: attached}}, "{name}", name),
		x.snippetOf(curl, `"{url}/api/v1/`+strings.ToLower(k.Action)+`s/{name}?account={account}"`, "{name}", name),
	)
}

func policiesSnippets(x *exchange) []snippet {
	return append(x.aws([]awsCall{{service: "iam", action: "ListPolicies", fields: []awsField{{"Scope", enum("Local")}}, list: "Policies", show: "Arn"}}),
		x.snippetOf(curl, `"{url}/api/v1/policies?account={account}"`),
	)
}

func policySnippets(x *exchange, p *core.Policy) []snippet {
	byAPI := x.snippetOf(curl, `"{url}/api/v1/policies/{name}?account={account}&cloud={cloud}"`, "{name}", p.Name, "{cloud}", p.Cloud)
	if p.Cloud != core.AWS {
		return []snippet{byAPI}
	}
	return append(x.aws([]awsCall{{service: "iam", action: "ListPolicyVersions", fields: []awsField{{"PolicyArn", p.ARN()}}, list: "Versions", show: "VersionId"}}), byAPI)
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

func alertsSnippets(x *exchange) []snippet {
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

func alertSnippets(x *exchange, name string) []snippet {
	pair := []string{"{name}", name}
	return []snippet{
		x.snippetOf(polymq, "polymq alert show {name} --endpoint {url} --account {account} --region {region}", pair...),
		x.snippetOf(curl, `"{url}/api/v1/alerts/{name}/series?`+scopeQuery+`"`, pair...),
		x.snippetOf(python, `import json, urllib.request
request = urllib.request.Request("{url}/api/v1/alerts/{name}/series?`+scopeQuery+`"{headers})
for series in json.load(urllib.request.urlopen(request))["series"]:
    value = "no data" if series["value"] is None else round(series["value"], 2)
    print(series["name"], series["state"], value)`, pair...),
	}
}
