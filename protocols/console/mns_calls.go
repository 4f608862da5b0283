package console

import "strings"

// mnsCalls is what the SDKs of MNS do in the place of a page, each in its own words. Where one is empty, that SDK has no such call.
type mnsCalls struct {
	python, java, node, golang string
}

// mns gives the calls as each SDK of MNS has them, with the client that makes them.
func (x *exchange) mns(calls mnsCalls, pairs ...string) (snippets []snippet) {
	endpoint, note := x.mnsEndpoint()
	pairs = append(pairs, "{mns}", endpoint)
	add := func(tool, comment, text string) {
		if note != "" {
			text = comment + " " + note + "\n" + text
		}
		snippets = append(snippets, x.snippetOf(tool, text, pairs...))
	}
	add(mnsSDK, "#", `from mns.account import Account
account = Account("{mns}", "{id}", "{secret}")
`+calls.python)
	if calls.java != "" {
		add("Java · aliyun-sdk-mns", "//", `import com.aliyun.mns.client.*;
import com.aliyun.mns.model.*;

MNSClient client = MNSClientBuilder.create()
    .accountEndpoint("{mns}").accessKeyId("{id}").accessKeySecret("{secret}").region("{region}").build();
`+calls.java+"\nclient.close();")
	}
	if calls.node != "" {
		add("Node · @alicloud/mns", "//", `import MNS from "@alicloud/mns";
const client = new MNS("{account}", { endpoint: "{mns}", accessKeyId: "{id}", accessKeySecret: "{secret}" });
`+calls.node)
	}
	if calls.golang != "" {
		imports := "\tali_mns \"github.com/aliyun/aliyun-mns-go-sdk\"\n"
		if strings.Contains(calls.golang, "fmt.") {
			imports = "\t\"fmt\"\n\n" + imports
		}
		add("Go · aliyun-mns-go-sdk", "//", "package main\n\nimport (\n"+imports+`)

func main() {
	client := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{
		EndPoint: "{mns}/.", AccessKeyId: "{id}", AccessKeySecret: "{secret}",
	})
`+indented("\t", calls.golang)+"}")
	}
	return snippets
}

const (
	mnsMakesQueue = `if err := ali_mns.NewMNSQueueManager(client).CreateSimpleQueue("orders"); err != nil && !ali_mns.ERR_MNS_QUEUE_ALREADY_EXIST_AND_HAVE_SAME_ATTR.IsEqual(err) {
	panic(err)
}
`
	mnsMakesTopic = `if err := ali_mns.NewMNSTopicManager(client).CreateSimpleTopic("alerts"); err != nil && !ali_mns.ERR_MNS_TOPIC_ALREADY_EXIST_AND_HAVE_SAME_ATTR.IsEqual(err) {
	panic(err)
}
`
	goFails = `if err != nil {
	panic(err)
}
`
)

func mnsOverview() mnsCalls {
	return mnsCalls{
		python: `from mns.queue import QueueMeta, Message
queue = account.get_queue("orders")
queue.create(QueueMeta())
queue.send_message(Message("hello"))`,
		java: `QueueMeta meta = new QueueMeta();
meta.setQueueName("orders");
client.createQueue(meta).putMessage(new Message("hello"));`,
		node: `await client.createQueue("orders");
await client.sendMessage("orders", { MessageBody: "hello" });`,
		golang: mnsMakesQueue + `_, err := ali_mns.NewMNSQueue("orders", client).SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"})
` + goFails,
	}
}

func mnsQueues() mnsCalls {
	return mnsCalls{
		python: `print(account.list_queue()[0])`,
		java: `for (String url : client.listQueueURL("", "", 100).getResult()) {
    System.out.println(url);
}`,
		node: `console.log((await client.listQueue("", 100, "")).body);`,
		golang: `found, err := ali_mns.NewMNSQueueManager(client).ListQueue("", 100, "")
` + goFails + `for _, queue := range found.Queues {
	fmt.Println(queue.QueueURL)
}
`,
	}
}

// mnsQueue sends, receives and deletes. Only some SDKs know message groups.
func mnsQueue(isFIFO bool) mnsCalls {
	pythonGroup, nodeGroup := "", ""
	if isFIFO {
		pythonGroup, nodeGroup = "message.set_message_group_id(\"a\")\n", `, MessageGroupId: "a"`
	}
	calls := mnsCalls{
		python: `from mns.queue import Message
queue = account.get_queue("{queue}")
message = Message("hello")
` + pythonGroup + `queue.send_message(message)
received = queue.receive_message(5)
print(received.message_body)
queue.delete_message(received.receipt_handle)`,
		node: `await client.sendMessage("{queue}", { MessageBody: "hello"` + nodeGroup + ` });
const { body } = await client.receiveMessage("{queue}", 5);
console.log(body.MessageBody);
await client.deleteMessage("{queue}", body.ReceiptHandle);`,
	}
	if isFIFO {
		return calls
	}
	calls.java = `CloudQueue queue = client.getQueueRef("{queue}");
queue.putMessage(new Message("hello"));
Message message = queue.popMessage(5);
System.out.println(message.getMessageBody());
queue.deleteMessage(message.getReceiptHandle());`
	calls.golang = `queue := ali_mns.NewMNSQueue("{queue}", client)
if _, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"}); err != nil {
	panic(err)
}
messages, errs := make(chan ali_mns.MessageReceiveResponse, 1), make(chan error, 1)
queue.ReceiveMessage(messages, errs, 5)
select {
case message := <-messages:
	fmt.Println(message.MessageBody)
	if err := queue.DeleteMessage(message.ReceiptHandle); err != nil {
		panic(err)
	}
case err := <-errs:
	panic(err)
}
`
	return calls
}

func mnsSettings() mnsCalls {
	return mnsCalls{
		python: `from mns.queue import QueueMeta
meta = QueueMeta()
meta.set_visibilitytimeout(60)
account.get_queue("{queue}").set_attributes(meta)`,
		java: `QueueMeta meta = new QueueMeta();
meta.setQueueName("{queue}");
meta.setVisibilityTimeout(60L);
client.getQueueRef("{queue}").setAttributes(meta);`,
		node: `await client.setQueueAttributes("{queue}", { VisibilityTimeout: 60 });`,
	}
}

func mnsMoves() mnsCalls {
	return mnsCalls{python: `# MNS has no call that moves messages: receive them here and send them there
queue = account.get_queue("{queue}")
message = queue.receive_message(5)
account.get_queue("DESTINATION").send_message(message)
queue.delete_message(message.receipt_handle)`}
}

func mnsTopics() mnsCalls {
	return mnsCalls{
		python: `from mns.topic import TopicMeta
account.get_topic("alerts").create(TopicMeta())
print(account.list_topic()[0])`,
		java: `TopicMeta meta = new TopicMeta();
meta.setTopicName("alerts");
client.createTopic(meta);
for (String url : client.listTopicURL("", "", 100).getResult()) {
    System.out.println(url);
}`,
		node: `await client.createTopic("alerts");
console.log((await client.listTopic("", 100, "")).body);`,
		golang: mnsMakesTopic + `found, err := ali_mns.NewMNSTopicManager(client).ListTopic("", 100, "")
` + goFails + `for _, topic := range found.Topics {
	fmt.Println(topic.TopicURL)
}
`,
	}
}

func mnsTopic(isFIFO bool) mnsCalls {
	if isFIFO {
		return mnsCalls{
			python: `from mns.topic import TopicMessage
message = TopicMessage("hello")
message.set_message_group_id("a")
account.get_topic("{topic}").publish_message(message)`,
			node: `await client.publishMessage("{topic}", { MessageBody: "hello", MessageGroupId: "a" });`,
		}
	}
	return mnsCalls{
		python: `from mns.topic import TopicMessage
account.get_topic("{topic}").publish_message(TopicMessage("hello"))`,
		java: `RawTopicMessage message = new RawTopicMessage();
message.setMessageBody("hello");
client.getTopicRef("{topic}").publishMessage(message);`,
		node: `await client.publishMessage("{topic}", { MessageBody: "hello" });`,
		golang: `_, err := ali_mns.NewMNSTopic("{topic}", client).PublishMessage(ali_mns.MessagePublishRequest{MessageBody: "hello"})
` + goFails,
	}
}

func mnsTopicSettings() mnsCalls {
	return mnsCalls{
		python: `from mns.topic import TopicMeta
account.get_topic("{topic}").set_attributes(TopicMeta(maximum_message_size=65536))`,
		java: `TopicMeta meta = new TopicMeta();
meta.setTopicName("{topic}");
meta.setMaxMessageSize(65536L);
client.getTopicRef("{topic}").setAttribute(meta);`,
		node: `await client.setTopicAttributes("{topic}", { MaximumMessageSize: 65536 });`,
	}
}

func mnsSubscription() mnsCalls {
	return mnsCalls{
		python: `print(account.get_subscription("{topic}", "{subscription}").get_attributes().endpoint)`,
		java:   `System.out.println(client.getTopicRef("{topic}").getSubscriptionAttr("{subscription}").getEndpoint());`,
		golang: `found, err := ali_mns.NewMNSTopic("{topic}", client).GetSubscriptionAttributes("{subscription}")
` + goFails + `fmt.Println(found.Endpoint)
`,
	}
}
