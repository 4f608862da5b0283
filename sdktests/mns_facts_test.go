package sdktests

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A fact is a sentence of specs/mns.md or specs/mns-openapi.md, asked of a server byte by byte. Facts of one list come one after the other.
type fact struct {
	says    string
	request string // "METHOD target", lines of headers, an empty line and a body; or "later 30s"; {name} is what was kept
	status  int
	has     []string // patterns, in the head and the body
	lacks   []string
	keep    string // as which the receipt handle is kept
}

const mnsNamespace = ` xmlns="http://mns\.aliyuncs\.com/doc/v1">`

// facts are by the points of the checklist (specs/mns.md 12), and behind those by what is odd; each list has names of its own.
var facts = map[string][]fact{
	"01 transport": {
		{"a queue is made", "PUT /queues/t\n\n<Queue/>", 201, []string{`Location: http://HOST/queues/t\r`, `Content-Length: 0\r`}, []string{`Content-Type`}, ""},
		{"a whole URL is a target, as for a proxy", "GET http://HOST/queues/t", 200, []string{`<QueueName>t</QueueName>`}, nil, ""},
		{"several slashes are one", "GET //queues//t", 200, nil, nil, ""},
		{"the words of a path are in any case", "GET /QUEUES/t", 200, nil, nil, ""},
		{"names are in theirs", "GET /queues/T", 404, []string{`QueueNotExist`}, nil, ""},
		{"a client that expects 100-continue gets it", "POST /queues/t/messages\nExpect: 100-continue\n\n<Message><MessageBody>a</MessageBody></Message>", 201, nil, nil, ""},
		{"a byte-order mark and a prolog stand before a document", "POST /queues/t/messages\n\n\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Message><MessageBody>b</MessageBody></Message>", 201, nil, nil, ""},
		{"a DELETE has a body", "DELETE /queues/t/messages\n\n<ReceiptHandles><ReceiptHandle>1-x</ReceiptHandle></ReceiptHandles>", 404, []string{`ReceiptHandleError`}, nil, ""},
		{"names of headers are in any case", "GET /queues\nX-MNS-PREFIX: nothing-like-it\nX-Mns-Version: 2015-06-06", 200, []string{`<Queues` + mnsNamespace + `\n</Queues>`}, []string{`NextMarker`}, ""},
		{"a body comes in chunks", "POST /queues/t/messages\nTransfer-Encoding: chunked\n\n31\r\n<Message><MessageBody>cccc</MessageBody></Message\r\n1\r\n>\r\n0\r\n\r\n", 201, nil, nil, ""},
		{"a path that means nothing", "GET /queues/t/nothing", 400, []string{`<Code>InvalidRequestURL</Code>`}, nil, ""},
		{"a method that means nothing there", "POST /queues/t\n\n<Queue/>", 400, []string{`<Code>InvalidRequestURL</Code>`}, nil, ""},
		{"a parameter that MNS does not know", "GET /queues/t/messages?limit=1", 400, []string{`<Code>InvalidQueryString</Code>`}, nil, ""},
		{"a version that MNS does not know", "GET /queues/t\nx-mns-version: 2014-07-08", 400, []string{`<Code>InvalidVersionHeader</Code>`}, nil, ""},
		{"a digest of another body", "GET /queues/t\nContent-MD5: AAAA", 400, []string{`<Code>InvalidDigest</Code>`}, nil, ""},
		{"base64 of the digits of the empty body's digest", "GET /queues/t\nContent-MD5: ZDQxZDhjZDk4ZjAwYjIwNGU5ODAwOTk4ZWNmODQyN2U=", 200, nil, nil, ""},
		{"base64 of its bytes", "GET /queues/t\nContent-MD5: 1B2M2Y8AsgTpgAmY7PhCfg==", 200, nil, nil, ""},
		{"its digits", "GET /queues/t\nContent-MD5: D41D8CD98F00B204E9800998ECF8427E", 200, nil, nil, ""},
	},
	"02 and 03 headers and errors": {
		{"headers are spelled as clients look them up", "PUT /queues/h\n\n", 201, []string{`\r\nx-mns-request-id: [0-9A-F]{24}\r`, `\r\nx-mns-version: 2015-06-06\r`, `\r\nLocation: `}, []string{`X-Mns-`}, ""},
		{"an error has four elements, its namespace no slash", "GET /queues/none", 404, []string{
			`<Error` + mnsNamespace + `\n<Code>QueueNotExist</Code>\n<Message>[^<]+</Message>\n<RequestId>[0-9A-F]{24}</RequestId>\n<HostId>http://HOST</HostId>\n</Error>`, `Content-Type: text/xml;charset=utf-8\r`, `Content-Length: \d+\r`,
		}, []string{`Transfer-Encoding`, `CDATA`}, ""},
		{"an empty receive is an error", "GET /queues/h/messages", 404, []string{`<Code>MessageNotExist</Code>`}, nil, ""},
		{"also of a batch", "GET /queues/h/messages?numOfMessages=16", 404, []string{`<Code>MessageNotExist</Code>`}, nil, ""},
		{"also of a peek", "GET /queues/h/messages?peekonly=true", 404, []string{`<Code>MessageNotExist</Code>`}, nil, ""},
		{"also of a batch of them", "GET /queues/h/messages?peekonly=true&numOfMessages=16", 404, []string{`<Code>MessageNotExist</Code>`}, nil, ""},
		{"a missing queue stays one, whatever is received", "GET /queues/none/messages?numOfMessages=16", 404, []string{`<Code>QueueNotExist</Code>`}, nil, ""},
		{"204 has no body and says nothing of one", "DELETE /queues/h", 204, nil, []string{`Content-`, `<`}, ""},
		{"what is gone can be deleted", "DELETE /queues/h", 204, nil, nil, ""},
		{"and be made anew at once", "PUT /queues/h\n\n<Queue/>", 201, nil, nil, ""},
	},
	"04 and 05 queues": {
		{"201 for what is new", "PUT /queues/c\n\n<Queue xmlns=\"http://mns.aliyuncs.com/doc/v1/\"><VisibilityTimeout>60</VisibilityTimeout><LoggingEnabled>TRUE</LoggingEnabled></Queue>", 201, []string{`Location: http://HOST/queues/c\r`}, nil, ""},
		{"204 for the same, in any order and namespace", "PUT /queues/c\n\n<q:Queue xmlns:q=\"urn:x\"><q:LoggingEnabled>true</q:LoggingEnabled><q:Other><q:Deep>1</q:Deep></q:Other><q:VisibilityTimeout> 60 </q:VisibilityTimeout></q:Queue>", 204, []string{`Location: http://HOST/queues/c\r`}, nil, ""},
		{"204 where defaults are written out", "PUT /queues/c\n\n<Queue><VisibilityTimeout>60</VisibilityTimeout><LoggingEnabled>True</LoggingEnabled><DelaySeconds>0</DelaySeconds><MaximumMessageSize>65536</MaximumMessageSize><MessageRetentionPeriod>345600</MessageRetentionPeriod><PollingWaitSeconds>0</PollingWaitSeconds></Queue>", 204, nil, nil, ""},
		{"409 for others", "PUT /queues/c\n\n<Queue><VisibilityTimeout>61</VisibilityTimeout><LoggingEnabled>true</LoggingEnabled></Queue>", 409, []string{`<Code>QueueAlreadyExist</Code>`}, []string{`Location`}, ""},
		{"all twelve elements, in text", "GET /queues/c", 200, []string{
			`<Queue` + mnsNamespace + `\n<QueueName>c</QueueName>\n<DelaySeconds>0</DelaySeconds>\n<MaximumMessageSize>65536</MaximumMessageSize>\n<MessageRetentionPeriod>345600</MessageRetentionPeriod>\n` +
				`<VisibilityTimeout>60</VisibilityTimeout>\n<PollingWaitSeconds>0</PollingWaitSeconds>\n<LoggingEnabled>True</LoggingEnabled>\n<ActiveMessages>0</ActiveMessages>\n<InactiveMessages>0</InactiveMessages>\n` +
				`<DelayMessages>0</DelayMessages>\n<CreateTime>\d{10}</CreateTime>\n<LastModifyTime>\d{10}</LastModifyTime>\n</Queue>`,
		}, nil, ""},
		{"only what is given is changed", "PUT /queues/c?metaOverride=true\n\n<Queue><DelaySeconds>5</DelaySeconds></Queue>", 204, nil, []string{`Location`}, ""},
		{"which shows", "GET /queues/c", 200, []string{`<DelaySeconds>5<`, `<VisibilityTimeout>60<`, `<LoggingEnabled>True<`}, nil, ""},
		{"a change of a queue that is not there", "PUT /queues/none?metaoverride=true\n\n<Queue/>", 404, []string{`QueueNotExist`}, nil, ""},
		{"the longest retention of older manuals", "PUT /queues/c?metaoverride=TRUE\n\n<Queue><MessageRetentionPeriod>1296000</MessageRetentionPeriod></Queue>", 204, nil, nil, ""},
		{"one beyond it, said with its range", "PUT /queues/c?metaoverride=true\n\n<Queue><MessageRetentionPeriod>1296001</MessageRetentionPeriod></Queue>", 400, []string{`<Code>InvalidArgument</Code>`, `MessageRetentionPeriod must be 60 to 1296000 seconds`}, nil, ""},
		{"no visibility timeout of 0", "PUT /queues/c?metaoverride=true\n\n<Queue><VisibilityTimeout>0</VisibilityTimeout></Queue>", 400, []string{`InvalidArgument`}, nil, ""},
		{"no wait of 31", "PUT /queues/c?metaoverride=true\n\n<Queue><PollingWaitSeconds>31</PollingWaitSeconds></Queue>", 400, []string{`InvalidArgument`}, nil, ""},
		{"no size below 1024", "PUT /queues/c?metaoverride=true\n\n<Queue><MaximumMessageSize>1023</MaximumMessageSize></Queue>", 400, []string{`InvalidArgument`}, nil, ""},
		{"another root", "PUT /queues/d\n\n<Topic/>", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"a name may begin with a digit", "PUT /queues/7-Up\n\n<Queue/>", 201, nil, nil, ""},
		{"but with no hyphen", "PUT /queues/-up\n\n<Queue/>", 400, []string{`<Code>InvalidQueueName</Code>`}, nil, ""},
		{"the longest name", "PUT /queues/" + strings.Repeat("n", 256) + "\n\n<Queue/>", 201, nil, nil, ""},
		{"a longer one", "PUT /queues/" + strings.Repeat("n", 257) + "\n\n<Queue/>", 400, []string{`<Code>QueueNameLengthError</Code>`}, nil, ""},
	},
	"06 messages": {
		{"a queue", "PUT /queues/m\n\n", 201, nil, nil, ""},
		{"an id and a digest, in upper case, and no handle", "POST /queues/m/messages\n\n<Message><MessageBody>hello</MessageBody></Message>", 201, []string{`<Message` + mnsNamespace + `\n<MessageId>[0-9A-F]{32}</MessageId>\n<MessageBodyMD5>5D41402ABC4B2A76B9719D911017C592</MessageBodyMD5>\n</Message>`}, nil, ""},
		{"a peek has no handle and no time", "GET /queues/m/messages?peekonly=true", 200, []string{`<DequeueCount>0</DequeueCount>`}, []string{`ReceiptHandle`, `NextVisibleTime`}, ""},
		{"nine elements, times in milliseconds", "GET /queues/m/messages", 200, []string{
			`<Message` + mnsNamespace + `\n<MessageId>[0-9A-F]{32}</MessageId>\n<ReceiptHandle>\d-[A-Za-z0-9._-]{1,250}</ReceiptHandle>\n<MessageBodyMD5>5D41402ABC4B2A76B9719D911017C592</MessageBodyMD5>\n<MessageBody>hello</MessageBody>\n` +
				`<EnqueueTime>\d{13}</EnqueueTime>\n<NextVisibleTime>\d{13}</NextVisibleTime>\n<FirstDequeueTime>\d{13}</FirstDequeueTime>\n<DequeueCount>1</DequeueCount>\n<Priority>8</Priority>\n</Message>`,
		}, nil, "h"},
		{"in flight it counts as inactive", "GET /queues/m", 200, []string{`<ActiveMessages>0<`, `<InactiveMessages>1<`}, nil, ""},
		{"deleted", "DELETE /queues/m/messages?ReceiptHandle={h}", 204, nil, nil, ""},
		{"and gone", "DELETE /queues/m/messages?receipthandle={h}", 404, []string{`<Code>MessageNotExist</Code>`}, nil, ""},
		{"text comes back as it was: blanks, markup, line ends", "POST /queues/m/messages\n\n<Message><MessageBody>  &lt;a&gt; &amp;amp; <![CDATA[<b>]]>\r\n&#x1F680;\t </MessageBody></Message>", 201, nil, nil, ""},
		{"with every carriage return as a reference", "GET /queues/m/messages", 200, []string{"<MessageBody>  &lt;a&gt; &amp;amp; &lt;b&gt;&#13;\n\U0001F680\t </MessageBody>"}, []string{`CDATA`}, "h"},
		{"a body of blanks is one", "POST /queues/m/messages\n\n<Message><MessageBody> </MessageBody></Message>", 201, nil, nil, ""},
		{"an empty one is none", "POST /queues/m/messages\n\n<Message><MessageBody></MessageBody></Message>", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"nor is one that is missing", "POST /queues/m/messages\n\n<Message/>", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"an element in a body", "POST /queues/m/messages\n\n<Message><MessageBody>a<b/>c</MessageBody></Message>", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"a document type", "POST /queues/m/messages\n\n<!DOCTYPE a [<!ENTITY b \"c\">]><Message><MessageBody>&b;</MessageBody></Message>", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"half a surrogate", "POST /queues/m/messages\n\n<Message><MessageBody>&#xD800;</MessageBody></Message>", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"no document", "POST /queues/m/messages\n\nhello", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"half a document", "POST /queues/m/messages\n\n<Message><MessageBody>a</MessageBody>", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"a wait of 31 s", "GET /queues/m/messages?waitseconds=31", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"a wait that is no number", "GET /queues/m/messages?waitseconds=", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"no messages", "GET /queues/m/messages?numOfMessages=0", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"17 messages", "GET /queues/m/messages?numOfMessages=17", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"a batch of one is a batch", "GET /queues/m/messages?NUMOFMESSAGES=1", 200, []string{`<Messages` + mnsNamespace + `\n<Message>\n<MessageId>`}, nil, ""},
	},
	"07 properties": {
		{"a queue", "PUT /queues/p\n\n", 201, nil, nil, ""},
		{"properties are taken", "POST /queues/p/messages\n\n<Message><UserProperties><PropertyValue><Type>NUMBER</Type><Value>-1.5e3</Value><Name>n</Name></PropertyValue><PropertyValue><Name>b</Name><Value>AP8=</Value><Type>BINARY</Type></PropertyValue></UserProperties>" +
			"<SystemProperties><SystemPropertyValue><Name>traceparent</Name><Value>00-1</Value><Type>STRING</Type></SystemPropertyValue></SystemProperties><MessageBody>a</MessageBody><MessageGroupId>g</MessageGroupId></Message>", 201, nil, nil, ""},
		{"and given back with blanks between, the system's first, both behind all else", "GET /queues/p/messages", 200, []string{
			`<Priority>8</Priority>\n<MessageGroupId>g</MessageGroupId>\n<SystemProperties>\n<SystemPropertyValue>\n<Name>traceparent</Name>\n<Value>00-1</Value>\n<Type>STRING</Type>\n</SystemPropertyValue>\n</SystemProperties>\n` +
				`<UserProperties>\n<PropertyValue>\n<Name>b</Name>\n<Value>AP8=</Value>\n<Type>BINARY</Type>\n</PropertyValue>\n<PropertyValue>\n<Name>n</Name>\n<Value>-1.5e3</Value>\n<Type>NUMBER</Type>\n</PropertyValue>\n</UserProperties>\n</Message>`,
		}, nil, ""},
		{"a system property that clients would fail on", "POST /queues/p/messages\n\n<Message><MessageBody>a</MessageBody><SystemProperties><SystemPropertyValue><Name>DLQSourceArn</Name><Value>x</Value><Type>STRING</Type></SystemPropertyValue></SystemProperties></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a type that there is not", "POST /queues/p/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>n</Name><Value>1</Value><Type>number</Type></PropertyValue></UserProperties></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a name twice", "POST /queues/p/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties>" + strings.Repeat("<PropertyValue><Name>n</Name><Value>1</Value><Type>STRING</Type></PropertyValue>", 2) + "</UserProperties></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"bytes that are no base64", "POST /queues/p/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>n</Name><Value>%</Value><Type>BINARY</Type></PropertyValue></UserProperties></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a value of 4096 characters", "POST /queues/p/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>n</Name><Value>" + strings.Repeat("é", 4096) + "</Value><Type>STRING</Type></PropertyValue></UserProperties></Message>", 201, nil, nil, ""},
		{"one more", "POST /queues/p/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>n</Name><Value>" + strings.Repeat("é", 4097) + "</Value><Type>STRING</Type></PropertyValue></UserProperties></Message>", 400, []string{`InvalidArgument`}, nil, ""},
	},
	"08 lists": {
		{"one", "PUT /queues/l-1\n\n", 201, nil, nil, ""}, {"two", "PUT /queues/l-2\n\n", 201, nil, nil, ""}, {"ten", "PUT /queues/l-10\n\n", 201, nil, nil, ""},
		{"by name, URLs alone, and where the rest begins", "GET /queues\nx-mns-prefix: l-\nx-mns-ret-number: 2", 200, []string{
			`<Queues` + mnsNamespace + `\n<Queue>\n<QueueURL>http://HOST/queues/l-1</QueueURL>\n</Queue>\n<Queue>\n<QueueURL>http://HOST/queues/l-10</QueueURL>\n</Queue>\n<NextMarker>[A-Za-z0-9_-]+</NextMarker>\n</Queues>`,
		}, nil, ""},
		{"the rest", "GET /queues\nx-mns-prefix: l-\nx-mns-marker: bC0xMA", 200, []string{`<QueueURL>http://HOST/queues/l-2</QueueURL>`}, []string{`l-1`, `NextMarker`}, ""},
		{"with all attributes", "GET /queues\nx-mns-prefix: l-2\nx-mns-with-meta: true", 200, []string{`<QueueURL>http://HOST/queues/l-2</QueueURL>\n<QueueName>l-2</QueueName>\n<DelaySeconds>0</DelaySeconds>`}, []string{`><`}, ""},
		{"no rows", "GET /queues\nx-mns-ret-number: 0", 400, []string{`InvalidArgument`}, nil, ""},
		{"too many rows", "GET /queues\nx-mns-ret-number: 1001", 400, []string{`InvalidArgument`}, nil, ""},
		{"a marker that is none", "GET /queues\nx-mns-marker: !", 400, []string{`InvalidArgument`}, nil, ""},
	},
	"09 batches": {
		{"a queue", "PUT /queues/b\n\n<Queue><MaximumMessageSize>65536</MaximumMessageSize></Queue>", 201, nil, nil, ""},
		{"sixteen, one answer for each, of delayed ones with a handle", "POST /queues/b/messages\n\n<Messages>" + strings.Repeat("<Message><MessageBody>a</MessageBody></Message>", 15) + "<Message><MessageBody>a</MessageBody><DelaySeconds>60</DelaySeconds></Message></Messages>", 201,
			[]string{`<Messages` + mnsNamespace + `\n(<Message>\n<MessageId>[0-9A-F]{32}</MessageId>\n<MessageBodyMD5>0CC175B9C0F1B6A831C399E269772661</MessageBodyMD5>\n</Message>\n){15}<Message>\n<MessageId>[0-9A-F]{32}</MessageId>\n<MessageBodyMD5>0CC175B9C0F1B6A831C399E269772661</MessageBodyMD5>\n<ReceiptHandle>`}, nil, ""},
		{"seventeen", "POST /queues/b/messages\n\n<Messages>" + strings.Repeat("<Message><MessageBody>a</MessageBody></Message>", 17) + "</Messages>", 400, []string{`<Error`, `InvalidArgument`}, nil, ""},
		{"none", "POST /queues/b/messages\n\n<Messages/>", 400, []string{`InvalidArgument`}, nil, ""},
		{"more than 64 KiB together", "POST /queues/b/messages\n\n<Messages>" + strings.Repeat("<Message><MessageBody>"+strings.Repeat("x", 32769)+"</MessageBody></Message>", 2) + "</Messages>", 400, []string{`InvalidArgument`}, nil, ""},
		{"one bad one, of which none is stored", "POST /queues/b/messages\n\n<Messages><Message><MessageBody>a</MessageBody></Message><Message><MessageBody>a</MessageBody><Priority>17</Priority></Message></Messages>", 400, []string{`<Error`, `InvalidArgument`}, nil, ""},
		{"as the counters say", "GET /queues/b", 200, []string{`<ActiveMessages>15<`, `<DelayMessages>1<`}, nil, ""},
		{"one received", "GET /queues/b/messages", 200, nil, nil, "h"},
		{"of two handles the one that fails, with three elements, and the other is deleted", "DELETE /queues/b/messages\n\n<ReceiptHandles><ReceiptHandle>{h}</ReceiptHandle><ReceiptHandle>1-nonsense</ReceiptHandle></ReceiptHandles>", 404,
			[]string{`<Errors` + mnsNamespace + `\n<Error>\n<ErrorCode>ReceiptHandleError</ErrorCode>\n<ErrorMessage>[^<]+</ErrorMessage>\n<ReceiptHandle>1-nonsense</ReceiptHandle>\n</Error>\n</Errors>`}, nil, ""},
		{"as it says when it is used again", "DELETE /queues/b/messages?ReceiptHandle={h}", 404, []string{`MessageNotExist`}, nil, ""},
		{"no handles", "DELETE /queues/b/messages\n\n<ReceiptHandles/>", 400, []string{`<Code>MissingReceiptHandle</Code>`}, nil, ""},
		{"and no body", "DELETE /queues/b/messages", 400, []string{`<Code>MissingReceiptHandle</Code>`}, nil, ""},
		{"seventeen handles", "DELETE /queues/b/messages\n\n<ReceiptHandles>" + strings.Repeat("<ReceiptHandle>1-x</ReceiptHandle>", 17) + "</ReceiptHandles>", 400, []string{`InvalidArgument`}, nil, ""},
	},
	"10 handles": {
		{"a queue", "PUT /queues/r\n\n", 201, nil, nil, ""}, {"another", "PUT /queues/r2\n\n", 201, nil, nil, ""},
		{"a message", "POST /queues/r/messages\n\n<Message><MessageBody>a</MessageBody></Message>", 201, nil, nil, ""},
		{"received", "GET /queues/r/messages", 200, nil, nil, "h1"},
		{"of another queue", "DELETE /queues/r2/messages?ReceiptHandle={h1}", 400, []string{`<Code>ReceiptHandleError</Code>`}, nil, ""},
		{"a change gives another", "PUT /queues/r/messages?receiptHandle={h1}&visibilityTimeout=60", 200, []string{`<ChangeVisibility` + mnsNamespace + `\n<ReceiptHandle>[^<]+</ReceiptHandle>\n<NextVisibleTime>\d{13}</NextVisibleTime>\n</ChangeVisibility>`}, nil, "h2"},
		{"and the old one is worth nothing, for a change", "PUT /queues/r/messages?VisibilityTimeout=60&ReceiptHandle={h1}", 404, []string{`MessageNotExist`}, nil, ""},
		{"nor for a delete", "DELETE /queues/r/messages?ReceiptHandle={h1}", 404, []string{`MessageNotExist`}, nil, ""},
		{"a change without a time", "PUT /queues/r/messages?ReceiptHandle={h2}", 400, []string{`<Code>MissingVisibilityTimeout</Code>`}, nil, ""},
		{"without a handle", "PUT /queues/r/messages?VisibilityTimeout=1", 400, []string{`<Code>MissingReceiptHandle</Code>`}, nil, ""},
		{"beyond 12 hours", "PUT /queues/r/messages?ReceiptHandle={h2}&VisibilityTimeout=43201", 400, []string{`InvalidArgument`}, nil, ""},
		{"0 shows it at once", "PUT /queues/r/messages?ReceiptHandle={h2}&VisibilityTimeout=0", 200, nil, nil, ""},
		{"and counts as no receive", "GET /queues/r/messages", 200, []string{`<DequeueCount>2<`}, nil, "h3"},
		{"", "later 31s", 0, nil, nil, ""},
		{"a handle ends with the visibility timeout", "DELETE /queues/r/messages?ReceiptHandle={h3}", 404, []string{`MessageNotExist`}, nil, ""},
		{"a delayed message has one", "POST /queues/r2/messages\n\n<Message><MessageBody>a</MessageBody><DelaySeconds>604800</DelaySeconds></Message>", 201, []string{`<ReceiptHandle>`}, nil, "h4"},
		{"by which it is deleted before it was seen", "DELETE /queues/r2/messages?ReceiptHandle={h4}", 204, nil, nil, ""},
	},
	"11 priorities and delays": {
		{"a queue with a delay", "PUT /queues/d\n\n<Queue><DelaySeconds>60</DelaySeconds></Queue>", 201, nil, nil, ""},
		{"0 is a delay, and a priority of 0 is none", "POST /queues/d/messages\n\n<Message><MessageBody>plain</MessageBody><DelaySeconds>0</DelaySeconds><Priority>0</Priority></Message>", 201, nil, []string{`ReceiptHandle`}, ""},
		{"16 is least urgent", "POST /queues/d/messages\n\n<Message><MessageBody>last</MessageBody><DelaySeconds>0</DelaySeconds><Priority>16</Priority></Message>", 201, nil, nil, ""},
		{"1 is most", "POST /queues/d/messages\n\n<Message><Priority>1</Priority><DelaySeconds>0</DelaySeconds><MessageBody>first</MessageBody></Message>", 201, nil, nil, ""},
		{"without one the queue's counts", "POST /queues/d/messages\n\n<Message><MessageBody>late</MessageBody></Message>", 201, []string{`<ReceiptHandle>`}, nil, ""},
		{"urgent ones come first", "GET /queues/d/messages?numOfMessages=16", 200, []string{`(?s)first</MessageBody>.*<Priority>1<.*plain</MessageBody>.*<Priority>8<.*last</MessageBody>.*<Priority>16<`}, []string{`late`}, ""},
		{"", "later 60s", 0, nil, nil, ""},
		{"the late one has come", "GET /queues/d/messages?peekonly=true&numOfMessages=16", 200, []string{`late`}, nil, ""},
		{"a delay beyond a week", "POST /queues/d/messages\n\n<Message><MessageBody>a</MessageBody><DelaySeconds>604801</DelaySeconds></Message>", 400, []string{`InvalidArgument`}, nil, ""},
	},
	"12 topics": {
		{"a queue", "PUT /queues/s\n\n", 201, nil, nil, ""},
		{"a topic", "PUT /topics/n\n\n<Topic/>", 201, []string{`Location: http://HOST/topics/n\r`}, nil, ""},
		{"the same", "PUT /topics/n\n\n<Topic><LoggingEnabled>false</LoggingEnabled></Topic>", 204, []string{`Location: http://HOST/topics/n\r`}, nil, ""},
		{"seven elements", "GET /topics/n", 200, []string{
			`<Topic` + mnsNamespace + `\n<TopicName>n</TopicName>\n<MaximumMessageSize>65536</MaximumMessageSize>\n<LoggingEnabled>False</LoggingEnabled>\n<MessageRetentionPeriod>86400</MessageRetentionPeriod>\n<MessageCount>0</MessageCount>\n` +
				`<CreateTime>\d{10}</CreateTime>\n<LastModifyTime>\d{10}</LastModifyTime>\n</Topic>`,
		}, nil, ""},
		{"a subscription, account and region of its endpoint as a client composes them", "PUT /topics/n/subscriptions/q\n\n<Subscription><Endpoint>acs:mns:0:127:queues/s</Endpoint><FilterTag>red</FilterTag></Subscription>", 201, []string{`Location: http://HOST/topics/n/subscriptions/q\r`}, nil, ""},
		{"its attributes, with the defaults", "GET /topics/n/Subscriptions/q", 200, []string{
			`<SubscriptionName>q</SubscriptionName>\n<Subscriber>\d{12}</Subscriber>\n<TopicOwner>\d{12}</TopicOwner>\n<TopicName>n</TopicName>\n<Endpoint>acs:mns:0:127:queues/s</Endpoint>\n<FilterTag>red</FilterTag>\n` +
				`<NotifyStrategy>BACKOFF_RETRY</NotifyStrategy>\n<NotifyContentFormat>XML</NotifyContentFormat>\n<CreateTime>\d{10}</CreateTime>`,
		}, nil, ""},
		{"without a tag there is no element", "PUT /topics/n/subscriptions/all\n\n<Subscription><Endpoint>http://127.0.0.1:1/</Endpoint><NotifyContentFormat>JSON</NotifyContentFormat></Subscription>", 201, nil, nil, ""},
		{"as is seen", "GET /topics/n/subscriptions/all", 200, []string{`<NotifyContentFormat>JSON<`}, []string{`FilterTag`}, ""},
		{"of what is listed, the URL", "GET /topics/n/subscriptions/", 200, []string{`<Subscriptions` + mnsNamespace + `\n<Subscription>\n<SubscriptionURL>http://HOST/topics/n/subscriptions/all</SubscriptionURL>\n</Subscription>\n<Subscription>`}, []string{`Endpoint`}, ""},
		{"another endpoint", "PUT /topics/n/subscriptions/q\n\n<Subscription><Endpoint>acs:mns:0:127:queues/t</Endpoint><FilterTag>red</FilterTag></Subscription>", 409, []string{`SubscriptionAlreadyExist`}, nil, ""},
		{"no endpoint", "PUT /topics/n/subscriptions/x\n\n<Subscription/>", 400, []string{`EndpointInvalid`}, nil, ""},
		{"an endpoint that MNS keeps for itself", "PUT /topics/n/subscriptions/x\n\n<Subscription><Endpoint>http://a/mns-reserved-x</Endpoint></Subscription>", 400, []string{`EndpointInvalid`}, nil, ""},
		{"a tag of 17", "PUT /topics/n/subscriptions/x\n\n<Subscription><Endpoint>http://a/</Endpoint><FilterTag>12345678901234567</FilterTag></Subscription>", 400, []string{`InvalidArgument`}, nil, ""},
		{"of a topic that is not there", "PUT /topics/none/subscriptions/x\n\n<Subscription><Endpoint>http://a/</Endpoint></Subscription>", 404, []string{`TopicNotExist`}, nil, ""},
		{"what no tag matches is gone", "POST /topics/n/messages\n\n<Message><MessageBody>lost</MessageBody><MessageTag>blue</MessageTag></Message>", 201, []string{`<MessageId>[0-9A-F]{32}</MessageId>\n<MessageBodyMD5>[0-9A-F]{32}</MessageBodyMD5>\n</Message>`}, nil, ""},
		{"what one matches comes as a document", "POST /topics/n/messages\n\n<Message><MessageBody>a &lt; b</MessageBody><MessageTag>red</MessageTag><MessageAttributes><DYSMS>{}</DYSMS></MessageAttributes></Message>", 201, nil, nil, ""},
		{"in the queue's message, and escaped once more there", "GET /queues/s/messages?numOfMessages=16", 200, []string{`&lt;Notification xmlns="http://mns.aliyuncs.com/doc/v1/"&gt;`, `&lt;Message&gt;a &amp;lt; b&lt;/Message&gt;`, `&lt;MessageTag&gt;red&lt;`, `&lt;PublishTime&gt;\d{13}&lt;`}, []string{`lost`}, ""},
		{"the strategy can be changed", "PUT /topics/n/subscriptions/q?metaoverride=true\n\n<Subscription><NotifyStrategy>EXPONENTIAL_DECAY_RETRY</NotifyStrategy></Subscription>", 204, nil, nil, ""},
		{"to one that there is", "PUT /topics/n/subscriptions/q?metaoverride=true\n\n<Subscription><NotifyStrategy>NEVER</NotifyStrategy></Subscription>", 400, []string{`InvalidArgument`}, nil, ""},
		{"an end", "DELETE /topics/n/subscriptions/q", 204, nil, nil, ""},
		{"and once more", "DELETE /topics/n/subscriptions/q", 204, nil, nil, ""},
		{"is an end", "GET /topics/n/subscriptions/q", 404, []string{`SubscriptionNotExist`}, nil, ""},
		{"a topic goes with its subscriptions", "DELETE /topics/n", 204, nil, nil, ""},
		{"all of them", "GET /topics/n/subscriptions/all", 404, []string{`(Topic|Subscription)NotExist`}, nil, ""},
	},
	"13 account": {
		{"no bucket, and no element that closes itself", "GET /?accountmeta=true", 200, []string{`<Account` + mnsNamespace + `\n<LoggingBucket></LoggingBucket>\n</Account>`}, []string{`/>`}, ""},
		{"a bucket", "PUT /?accountmeta=true\n\n<Account><LoggingBucket>logs</LoggingBucket></Account>", 204, nil, nil, ""},
		{"is kept", "GET /?AccountMeta=True", 200, []string{`<LoggingBucket>logs</LoggingBucket>`}, nil, ""},
		{"the service is always open", "POST /commonbuy/openservice", 200, []string{`<OpenService` + mnsNamespace + `\n<OrderId>[^<]+</OrderId>\n</OpenService>`}, nil, ""},
	},
	"14 JSON": {
		{"a queue, in XML", "PUT /queues/j\n\n", 201, nil, nil, ""},
		{"a message", "POST /queues/j/messages\nx-mns-version: 2026-04-09\nContent-Type: application/json\n\n" + `{"MessageBody":"a \u0007","Priority":3,"UserProperties":{"n":{"DataType":"NUMBER","StringValue":"1"}}}`, 201, []string{`\{"MessageId":"[0-9A-F]{32}","MessageBodyMD5":"[0-9A-F]{32}"\}`, `Content-Type: application/json;charset=utf-8\r`, `x-mns-version: 2026-04-09\r`}, nil, ""},
		{"given back", "GET /queues/j/messages?waitseconds=0\nx-mns-version: 2026-04-09", 200, []string{`"MessageBody":"a \\u0007","EnqueueTime":\d{13},"NextVisibleTime":\d{13},"FirstDequeueTime":\d{13},"DequeueCount":1,"Priority":3,"UserProperties":\{"n":\{"DataType":"NUMBER","StringValue":"1"\}\}`}, nil, ""},
		{"an error", "GET /queues/none/messages\nx-mns-version: 2026-04-09", 404, []string{`\{"Code":"QueueNotExist","Message":"([^"\\]|\\.)+","RequestId":"[0-9A-F]{24}","HostId":"http://HOST"\}`}, nil, ""},
		{"a batch", "POST /queues/j/messages\nx-mns-version: 2026-04-09\n\n" + `{"Messages":[{"MessageBody":"b"},{"MessageBody":"c"}]}`, 201, []string{`\{"Messages":\[\{"MessageId":"`}, nil, ""},
		{"no JSON", "POST /queues/j/messages\nx-mns-version: 2026-04-09\n\n<Message/>", 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
		{"queues are made in XML", "PUT /queues/k\nx-mns-version: 2026-04-09\n\n{}", 400, []string{`"Code":"InvalidVersionHeader"`}, nil, ""},
	},
	"15 values": {
		{"a queue", "PUT /queues/w\n\n<Queue><MaximumMessageSize>1024</MaximumMessageSize></Queue>", 201, nil, nil, ""},
		{"a size is in bytes", "POST /queues/w/messages\n\n<Message><MessageBody>" + strings.Repeat("é", 512) + "</MessageBody></Message>", 201, nil, nil, ""},
		{"one more is too many, said with the range", "POST /queues/w/messages\n\n<Message><MessageBody>" + strings.Repeat("é", 512) + "a</MessageBody></Message>", 400, []string{`<Code>InvalidArgument</Code>`, `MessageBody must be 1 to 1024 bytes, was 1025`}, nil, ""},
		{"they are those of the text, not of how it is written", "POST /queues/w/messages\n\n<Message><MessageBody>" + strings.Repeat("&amp;", 1024) + "</MessageBody></Message>", 201, nil, nil, ""},
		{"a comment is no part of a text", "POST /queues/w/messages\n\n<Message><MessageBody>a<!-- c -->b</MessageBody></Message>", 201, []string{`<MessageBodyMD5>187EF4436122D1CC2F40DC2B92F0EBA0<`}, nil, ""},
		{"blanks around a number are none of it", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><Priority> 5 </Priority></Message>", 201, nil, nil, ""},
		{"a number is whole", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><Priority>1.0</Priority></Message>", 400, []string{`Priority must be an integer, was "1.0"`}, nil, ""},
		{"and there", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><DelaySeconds></DelaySeconds></Message>", 400, []string{`DelaySeconds must be an integer`}, nil, ""},
		{"no priority is above 16", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><Priority>17</Priority></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"or below 0", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><Priority>-1</Priority></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"fifty properties", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties>" + properties(50) + "</UserProperties></Message>", 201, nil, nil, ""},
		{"one more", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties>" + properties(51) + "</UserProperties></Message>", 400, []string{`at most 50 user properties`}, nil, ""},
		{"the longest name of one", "POST /queues/w/messages\n\n" + oneProperty(strings.Repeat("n", 256), "v", "STRING"), 201, nil, nil, ""},
		{"a longer one", "POST /queues/w/messages\n\n" + oneProperty(strings.Repeat("n", 257), "v", "STRING"), 400, []string{`InvalidArgument`}, nil, ""},
		{"none", "POST /queues/w/messages\n\n" + oneProperty("", "v", "STRING"), 400, []string{`InvalidArgument`}, nil, ""},
		{"names are in their case", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>a</Name><Value>v</Value><Type>STRING</Type></PropertyValue><PropertyValue><Name>A</Name><Value>v</Value><Type>STRING</Type></PropertyValue></UserProperties></Message>", 201, nil, nil, ""},
		{"a boolean is in any case", "POST /queues/w/messages\n\n" + oneProperty("b", "TRUE", "BOOLEAN"), 201, nil, nil, ""},
		{"and no number", "POST /queues/w/messages\n\n" + oneProperty("b", "1", "BOOLEAN"), 400, []string{`is no BOOLEAN`}, nil, ""},
		{"no number is a word", "POST /queues/w/messages\n\n" + oneProperty("n", "NaN", "NUMBER"), 400, []string{`InvalidArgument`}, nil, ""},
		{"a system property is a STRING", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><SystemProperties><SystemPropertyValue><Name>baggage</Name><Value>a=b</Value><Type>NUMBER</Type></SystemPropertyValue></SystemProperties></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"no properties are none", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody><UserProperties></UserProperties><SystemProperties/></Message>", 201, nil, nil, ""},
		{"another encoding", "POST /queues/w/messages\n\n<?xml version=\"1.0\" encoding=\"UTF-16\"?><Message><MessageBody>a</MessageBody></Message>", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"what is not UTF-8", "POST /queues/w/messages\n\n<Message><MessageBody>\xe9</MessageBody></Message>", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"text behind the document", "POST /queues/w/messages\n\n<Message><MessageBody>a</MessageBody></Message>b", 400, []string{`<Code>MalformedXML</Code>`}, nil, ""},
		{"the root is in its case", "POST /queues/w/messages\n\n<message><MessageBody>a</MessageBody></message>", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"and so are elements", "POST /queues/w/messages\n\n<Message><messagebody>a</messagebody></Message>", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"the type of a document does not matter", "POST /queues/w/messages\nContent-Type: application/json\n\n<Message><MessageBody>a</MessageBody></Message>", 201, nil, nil, ""},
		{"a missing queue counts before what is wrong with a message", "POST /queues/none/messages\n\n<Message><MessageBody>" + strings.Repeat("x", 65537) + "</MessageBody></Message>", 404, []string{`QueueNotExist`}, nil, ""},
		{"another queue", "PUT /queues/w2", 201, nil, nil, ""},
		{"65536 bytes are a batch", "POST /queues/w2/messages\n\n<Messages>" + strings.Repeat("<Message><MessageBody>"+strings.Repeat("x", 4096)+"</MessageBody></Message>", 16) + "</Messages>", 201, nil, nil, ""},
		{"one more is too many for one", "POST /queues/w2/messages\n\n<Messages>" + strings.Repeat("<Message><MessageBody>"+strings.Repeat("x", 4096)+"</MessageBody></Message>", 15) + "<Message><MessageBody>" + strings.Repeat("x", 4097) + "</MessageBody></Message></Messages>", 400, []string{`<Error`, `was 65537`}, nil, ""},
	},
	"16 paths and parameters": {
		{"a queue", "PUT /queues/x/\n\n<Queue><VisibilityTimeout>600</VisibilityTimeout></Queue>", 201, []string{`Location: http://HOST/queues/x\r`}, nil, ""},
		{"a switch that is off is none", "PUT /queues/x?metaOverride=false\n\n<Queue><VisibilityTimeout>600</VisibilityTimeout></Queue>", 204, []string{`Location: `}, nil, ""},
		{"one that is neither", "PUT /queues/x?metaoverride=yes", 400, []string{`<Code>InvalidQueryString</Code>`}, nil, ""},
		{"one twice", "PUT /queues/x?metaoverride=true&MetaOverride=true", 400, []string{`<Code>InvalidQueryString</Code>`}, nil, ""},
		{"a message", "POST /queues/x/messages/\n\n<Message><MessageBody>a</MessageBody></Message>", 201, nil, nil, ""},
		{"a peek does not wait", "GET /queues/x/messages?waitseconds=5&peekonly=true", 200, nil, []string{`ReceiptHandle`}, ""},
		{"a receive is what is no peek", "GET /queues/x/messages?peekonly=False", 200, nil, nil, "h"},
		{"in flight it cannot be seen", "GET /queues/x/messages?peekonly=true", 404, []string{`MessageNotExist`}, nil, ""},
		{"a time that is no number, in the manual's word", "PUT /queues/x/messages?receiptHandle={h}&visibilityTimeout=x", 400, []string{`<Code>InvalidArgument</Code>`, `<Message>VisibilityTimeout must be an integer`}, nil, ""},
		{"a time below 0", "PUT /queues/x/messages?receiptHandle={h}&visibilityTimeout=-1", 400, []string{`<Code>InvalidArgument</Code>`}, nil, ""},
		{"an empty handle is missing", "DELETE /queues/x/messages?ReceiptHandle=", 400, []string{`<Code>MissingReceiptHandle</Code>`}, nil, ""},
		{"one of the service's own", "DELETE /queues/x/messages?ReceiptHandle=1-ODU4OTkzNDU5My0xNDM1MTk3NjAwLTItNg==", 400, []string{`<Code>ReceiptHandleError</Code>`}, nil, ""},
		{"a parameter whose name begins with a blank", "DELETE /queues/x/messages?%20ReceiptHandle={h}", 400, []string{`InvalidQueryString`}, nil, ""},
		{"a slash in a name", "PUT /queues/a%2Fb", 400, []string{`<Code>InvalidRequestURL</Code>`}, nil, ""},
		{"a blank in a name", "PUT /queues/a%20b", 400, []string{`<Code>InvalidQueueName</Code>`}, nil, ""},
		{"no name", "PUT /queues/", 400, []string{`<Code>InvalidRequestURL</Code>`}, nil, ""},
		{"what cannot have been made can be deleted", "DELETE /queues/a_b", 204, nil, nil, ""},
		{"a number of rows that is none, in the manual's word", "GET /queues\nX-Mns-Ret-Number: x", 400, []string{`<Message>x-mns-ret-number must be an integer`}, nil, ""},
		{"whether with meta or not", "GET /topics\nx-mns-with-meta: maybe", 400, []string{`<Message>x-mns-with-meta must be True or False`}, nil, ""},
		{"whose account it is", "GET /?account", 200, []string{`<AccountId>\d{12}</AccountId>`}, nil, ""},
	},
	"17 life": {
		{"a queue that delays", "PUT /queues/y\n\n<Queue><DelaySeconds>600</DelaySeconds><VisibilityTimeout>1200</VisibilityTimeout></Queue>", 201, nil, nil, ""},
		{"a message", "POST /queues/y/messages\n\n<Message><MessageBody>a</MessageBody></Message>", 201, nil, nil, "h0"},
		{"another delay", "PUT /queues/y?metaoverride=true\n\n<Queue><DelaySeconds>0</DelaySeconds></Queue>", 204, nil, nil, ""},
		{"is not for what was sent before", "GET /queues/y/messages", 404, []string{`MessageNotExist`}, nil, ""},
		{"it counts as delayed", "GET /queues/y", 200, []string{`<ActiveMessages>0<`, `<InactiveMessages>0<`, `<DelayMessages>1<`}, nil, ""},
		{"by its handle it can be seen now", "PUT /queues/y/messages?ReceiptHandle={h0}&VisibilityTimeout=0", 200, nil, nil, ""},
		{"for the first time", "GET /queues/y/messages", 200, []string{`<DequeueCount>1<`}, nil, "h1"},
		{"its first handle is worth nothing", "DELETE /queues/y/messages?ReceiptHandle={h0}", 404, []string{`MessageNotExist`}, nil, ""},
		{"another visibility timeout", "PUT /queues/y?metaoverride=true\n\n<Queue><VisibilityTimeout>300</VisibilityTimeout></Queue>", 204, nil, nil, ""},
		{"", "later 301s", 0, nil, nil, ""},
		{"is for receives that follow", "GET /queues/y/messages", 404, []string{`MessageNotExist`}, nil, ""},
		{"", "later 900s", 0, nil, nil, ""},
		{"such as this one", "GET /queues/y/messages", 200, []string{`<DequeueCount>2<`}, nil, "h2"},
		{"", "later 301s", 0, nil, nil, ""},
		{"it can be seen again", "GET /queues/y/messages?peekonly=true", 200, []string{`<DequeueCount>2<`}, nil, ""},
		{"a shorter retention", "PUT /queues/y?metaoverride=true\n\n<Queue><MessageRetentionPeriod>60</MessageRetentionPeriod></Queue>", 204, nil, nil, ""},
		{"is for all messages", "GET /queues/y/messages?peekonly=true", 404, []string{`MessageNotExist`}, nil, ""},
		{"a change with one bad value", "PUT /queues/y?metaoverride=true\n\n<Queue><DelaySeconds>7</DelaySeconds><VisibilityTimeout>0</VisibilityTimeout></Queue>", 400, []string{`VisibilityTimeout must be 1 to 43200 seconds, was 0`}, nil, ""},
		{"changes nothing", "GET /queues/y", 200, []string{`<DelaySeconds>0<`, `<VisibilityTimeout>300<`}, nil, ""},
		{"no element is no change", "PUT /queues/y?metaoverride=true\n\n", 204, nil, nil, ""},
		{"attributes that were changed are those that are compared", "PUT /queues/y\n\n<Queue><VisibilityTimeout>300</VisibilityTimeout><MessageRetentionPeriod>60</MessageRetentionPeriod></Queue>", 204, nil, nil, ""},
		{"with the defaults of what is not given", "PUT /queues/y\n\n<Queue><VisibilityTimeout>300</VisibilityTimeout></Queue>", 409, []string{`QueueAlreadyExist`}, nil, ""},
	},
	"18 topics and subscriptions": {
		{"a topic, whose retention is fixed", "PUT /topics/z\n\n<Topic><MaximumMessageSize>1024</MaximumMessageSize><MessageRetentionPeriod>100</MessageRetentionPeriod></Topic>", 201, nil, nil, ""},
		{"as it says", "GET /topics/z", 200, []string{`<MaximumMessageSize>1024<`, `<MessageRetentionPeriod>86400<`}, nil, ""},
		{"another size is another topic", "PUT /topics/z\n\n<Topic><MaximumMessageSize>1025</MaximumMessageSize></Topic>", 409, []string{`TopicAlreadyExist`}, nil, ""},
		{"a size below the least", "PUT /topics/z?metaoverride=true\n\n<Topic><MaximumMessageSize>1023</MaximumMessageSize></Topic>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a message beyond its size", "POST /topics/z/messages\n\n<Message><MessageBody>" + strings.Repeat("x", 1025) + "</MessageBody></Message>", 400, []string{`MessageBody must be 1 to 1024 bytes, was 1025`}, nil, ""},
		{"there is no batch", "POST /topics/z/messages\n\n<Messages><Message><MessageBody>a</MessageBody></Message></Messages>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a tag of 16 characters", "POST /topics/z/messages\n\n<Message><MessageBody>a</MessageBody><MessageTag>" + strings.Repeat("标", 16) + "</MessageTag></Message>", 201, nil, nil, ""},
		{"of 17", "POST /topics/z/messages\n\n<Message><MessageBody>a</MessageBody><MessageTag>" + strings.Repeat("标", 17) + "</MessageTag></Message>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a name of a topic", "PUT /topics/a_b", 400, []string{`<Code>TopicNameInvalid</Code>`}, nil, ""},
		{"one too long", "PUT /topics/" + strings.Repeat("t", 257), 400, []string{`<Code>TopicNameLengthError</Code>`}, nil, ""},
		{"a name of a subscription", "PUT /topics/z/subscriptions/a_b\n\n<Subscription><Endpoint>http://a/</Endpoint></Subscription>", 400, []string{`<Code>SubscriptionNameInvalid</Code>`}, nil, ""},
		{"one too long", "PUT /topics/z/subscriptions/" + strings.Repeat("s", 257) + "\n\n<Subscription><Endpoint>http://a/</Endpoint></Subscription>", 400, []string{`<Code>SubscriptionNameLengthError</Code>`}, nil, ""},
		{"a port that there is not", "PUT /topics/z/subscriptions/p\n\n<Subscription><Endpoint>http://a:65536/</Endpoint></Subscription>", 400, []string{`<Code>EndpointInvalid</Code>`}, nil, ""},
		{"port 0", "PUT /topics/z/subscriptions/p\n\n<Subscription><Endpoint>http://a:0/</Endpoint></Subscription>", 400, []string{`<Code>EndpointInvalid</Code>`}, nil, ""},
		{"the last one", "PUT /topics/z/subscriptions/p\n\n<Subscription><Endpoint>https://a:65535/b?c=d</Endpoint></Subscription>", 201, nil, nil, ""},
		{"another protocol", "PUT /topics/z/subscriptions/q\n\n<Subscription><Endpoint>ftp://a/</Endpoint></Subscription>", 400, []string{`<Code>EndpointInvalid</Code>`}, nil, ""},
		{"a queue without a name", "PUT /topics/z/subscriptions/q\n\n<Subscription><Endpoint>acs:mns:cn-hangzhou:1:queues/</Endpoint></Subscription>", 400, []string{`<Code>EndpointInvalid</Code>`}, nil, ""},
		{"a format that there is not", "PUT /topics/z/subscriptions/q\n\n<Subscription><Endpoint>http://a/</Endpoint><NotifyContentFormat>json</NotifyContentFormat></Subscription>", 400, []string{`InvalidArgument`}, nil, ""},
		{"one with a tag", "PUT /topics/z/subscriptions/q\n\n<Subscription><Endpoint>http://a/</Endpoint><FilterTag>t</FilterTag></Subscription>", 201, nil, nil, ""},
		{"the same with its defaults", "PUT /topics/z/subscriptions/q\n\n<Subscription><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy><NotifyContentFormat>XML</NotifyContentFormat><FilterTag>t</FilterTag><Endpoint>http://a/</Endpoint></Subscription>", 204, []string{`Location: `}, nil, ""},
		{"without the tag it is another", "PUT /topics/z/subscriptions/q\n\n<Subscription><Endpoint>http://a/</Endpoint></Subscription>", 409, []string{`SubscriptionAlreadyExist`}, nil, ""},
		{"a tag can be changed, as Java does", "PUT /topics/z/subscriptions/q?metaoverride=true\n\n<Subscription><FilterTag>u</FilterTag></Subscription>", 204, nil, nil, ""},
		{"which shows", "GET /topics/z/subscriptions/q", 200, []string{`<FilterTag>u</FilterTag>`}, nil, ""},
		{"an endpoint cannot", "PUT /topics/z/subscriptions/q?metaoverride=true\n\n<Subscription><Endpoint>http://b/</Endpoint></Subscription>", 400, []string{`InvalidArgument`}, nil, ""},
		{"a page of subscriptions with all that they have", "GET /topics/z/subscriptions\nx-mns-ret-number: 1\nx-mns-with-meta: TRUE", 200, []string{`<SubscriptionURL>http://HOST/topics/z/subscriptions/p</SubscriptionURL>\n<SubscriptionName>p</SubscriptionName>`, `<NextMarker>cA</NextMarker>`}, nil, ""},
		{"the rest", "GET /topics/z/subscriptions\nx-mns-ret-number: 1\nx-mns-marker: cA", 200, []string{`/subscriptions/q<`}, []string{`NextMarker`}, ""},
		{"a prefix is in its case", "GET /topics/z/subscriptions\nx-mns-prefix: Q", 200, nil, []string{`SubscriptionURL`}, ""},
		{"the subscriptions of no topic", "GET /topics/none/subscriptions", 404, []string{`TopicNotExist`}, nil, ""},
	},
	"19 JSON": {
		{"a queue, in XML", "PUT /queues/js\n\n", 201, nil, nil, ""},
		{"half a surrogate is no text", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"\ud83d"}`, 400, []string{`"Code":"InvalidArgument"`, `one of a pair`}, nil, ""},
		{"a pair is", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"\ud83d\ude80"}`, 201, []string{`"MessageBodyMD5":"107040754CAE44F639957714F9EB5711"`}, nil, ""},
		{"half a pair in a property", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"a","UserProperties":{"n":{"DataType":"STRING","StringValue":"\udc00"}}}`, 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
		{"text behind the document", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"a"}{}`, 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
		{"members that nobody knows, and null", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"b","DelaySeconds":null,"Other":{"a":[1]}}`, 201, nil, nil, ""},
		{"a priority that is a text", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"a","Priority":"3"}`, 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
		{"a property without a value", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"a","UserProperties":{"n":{"DataType":"STRING"}}}`, 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
		{"no messages", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"Messages":[]}`, 400, []string{`1 to 16 messages`}, nil, ""},
		{"seventeen", "POST /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"Messages":[` + strings.Repeat(`{"MessageBody":"a"},`, 16) + `{"MessageBody":"a"}]}`, 400, []string{`1 to 16 messages`}, nil, ""},
		{"of all that, two are there", "GET /queues/js", 200, []string{`<ActiveMessages>2<`}, nil, ""},
		{"a batch of handles, of which none is good", "DELETE /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"ReceiptHandles":["bad"]}`, 404, []string{`\{"Errors":\[\{"ErrorCode":"ReceiptHandleError","ErrorMessage":"[^"]+","ReceiptHandle":"bad"\}\]\}`}, nil, ""},
		{"of no handles", "DELETE /queues/js/messages\nx-mns-version: 2026-04-09\n\n" + `{"ReceiptHandles":[]}`, 400, []string{`"Code":"MissingReceiptHandle"`}, nil, ""},
		{"the settings of a message's kinds are texts", "POST /topics/none/messages\nx-mns-version: 2026-04-09\n\n" + `{"MessageBody":"a","MessageAttributes":{"DirectSMS":{"a":1}}}`, 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
	},
	"20 control plane": {
		{"a queue, half in the query, half in a form", "POST /?Action=CreateQueue&Version=2022-01-19&DelaySeconds=3\nContent-Type: application/x-www-form-urlencoded\n\nQueueName=cp&EnableLogging=True&DlqPolicy=%7B%7D", 200, []string{`Content-Type: application/json;charset=utf-8\r`, `"Code":200,"Status":"Success","Message":"operation success","Success":true,"Data":\{"Code":200,"Message":"","Success":true\}`, `"RequestId":"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"`}, nil, ""},
		{"as it was asked for", "GET /?Action=GetQueueAttributes&Version=2022-01-19&QueueName=cp", 200, []string{`"QueueType":"normal","CreateTime":\d{10},"LastModifyTime":\d{10},"DelaySeconds":3,`, `"LoggingEnabled":true`, `"DlqPolicy":\{"Enabled":false,"DeadLetterTargetQueue":"","MaxReceiveCount":"0"\}`}, nil, ""},
		{"the same again", "POST /?Action=CreateQueue&Version=2022-01-19&DelaySeconds=3&QueueName=cp&EnableLogging=true", 200, nil, nil, ""},
		{"another", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp", 409, []string{`"Code":"QueueAlreadyExist"`}, nil, ""},
		{"a policy whose number is a text", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp2&DlqPolicy=%7B%22Enabled%22:true,%22DeadLetterTargetQueue%22:%22cp%22,%22MaxReceiveCount%22:%223%22%7D", 200, nil, nil, ""},
		{"a queue that is its own dead-letter queue", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp3&DlqPolicy=%7B%22Enabled%22:true,%22DeadLetterTargetQueue%22:%22cp3%22,%22MaxReceiveCount%22:3%7D", 400, []string{`"Code":"InvalidParameter"`}, nil, ""},
		{"one that is not there", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp3&DlqPolicy=%7B%22Enabled%22:true,%22DeadLetterTargetQueue%22:%22none%22,%22MaxReceiveCount%22:3%7D", 404, []string{`"Code":"QueueNotExist"`}, nil, ""},
		{"a policy that is no JSON", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp3&DlqPolicy=x", 400, []string{`"Code":"InvalidParameter"`}, nil, ""},
		{"one with half a surrogate", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp3&DlqPolicy=%7B%22DeadLetterTargetQueue%22:%22%5Cud800%22%7D", 400, []string{`"Code":"InvalidParameter"`}, nil, ""},
		{"no visibility timeout of 0", "POST /?Action=CreateQueue&Version=2022-01-19&QueueName=cp3&VisibilityTimeout=0", 400, []string{`"Code":"InvalidArgument"`}, nil, ""},
		{"which was not made", "GET /?Action=GetQueueAttributes&Version=2022-01-19&QueueName=cp3", 404, []string{`"HostId":"HOST","Code":"QueueNotExist"`}, nil, ""},
		{"no name", "POST /?Action=CreateQueue&Version=2022-01-19", 400, []string{`"Code":"MissingQueueName"`}, nil, ""},
		{"pages of ten at least", "GET /?Action=ListQueue&Version=2022-01-19&QueueName=cp&PageSize=5&PageNum=0", 200, []string{`"PageNum":1,"PageSize":10,"Pages":1,"Size":2,"Total":2`}, nil, ""},
		{"of fifty at most", "GET /?Action=ListQueue&Version=2022-01-19&QueueName=cp&PageSize=1000&PageNum=9999999999", 200, []string{`"PageData":\[\],"PageNum":100000000,"PageSize":50,`}, nil, ""},
		{"what is gone is deleted", "POST /?Action=DeleteQueue&Version=2022-01-19&QueueName=none", 200, nil, nil, ""},
		{"an action that there is not", "POST /?Action=Other&Version=2022-01-19", 404, []string{`"Code":"InvalidAction.NotFound"`}, nil, ""},
		{"no action", "POST /?Version=2022-01-19", 400, []string{`"Code":"MissingAction"`}, nil, ""},
		{"a version that there is not", "POST /?Action=ListQueue&Version=2020-01-01&SignatureMethod=HMAC-SHA1", 400, []string{`"Code":"InvalidVersion"`, `"RequestId":"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}"`}, nil, ""},
		{"none", "POST /\nx-acs-action: ListQueue", 400, []string{`"Code":"MissingVersion"`}, nil, ""},
		{"the endpoint, with its list", "POST /?Action=GetEndpointAttribute&Version=2022-01-19&EndpointType=public", 200, []string{`"Data":\{"EndpointEnabled":true,"CidrList":\[\]\}`}, nil, ""},
		{"another endpoint", "POST /?Action=GetEndpointAttribute&Version=2022-01-19&EndpointType=vpc", 400, []string{`"Code":"InvalidParameter"`}, nil, ""},
		{"no network", "POST /?Action=AuthorizeEndpointAcl&Version=2022-01-19&EndpointType=public&AclStrategy=allow&CidrList=10.0.0.0/40", 400, []string{`"Code":"InvalidParameter"`}, nil, ""},
		{"in XML", "POST /?Action=GetQueueAttributes&Version=2022-01-19&QueueName=none&Format=xml", 404, []string{`Content-Type: text/xml;charset=utf-8\r`, `<Error>.*<Code>QueueNotExist</Code>`}, nil, ""},
	},
}

// TestMNSFacts asks the facts of a server, each over a connection of its own.
func TestMNSFacts(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for point, list := range facts {
		t.Run(point, func(t *testing.T) { // one after the other, for some move time
			kept := map[string]string{}
			for _, f := range list {
				f.check(t, srv, kept)
			}
		})
	}
}

func (f fact) check(t *testing.T, srv polymq, kept map[string]string) {
	t.Helper()
	if duration, isLater := strings.CutPrefix(f.request, "later "); isLater {
		by, err := time.ParseDuration(duration)
		if err != nil {
			t.Fatal(err)
		}
		srv.advance(t, by)
		return
	}
	host := strings.TrimPrefix(srv.url, "http://")
	request := strings.ReplaceAll(f.request, "HOST", host)
	for name, value := range kept {
		request = strings.ReplaceAll(request, "{"+name+"}", value)
	}
	status, answer, err := speak(host, request)
	if err != nil {
		t.Fatalf("%s: %.100s: %v", f.says, request, err)
	}
	if status != f.status {
		t.Errorf("%s: %.200s: got %d, want %d:\n%s", f.says, request, status, f.status, answer)
	}
	for _, pattern := range f.has {
		if !regexp.MustCompile(strings.ReplaceAll(pattern, "HOST", regexp.QuoteMeta(host))).MatchString(answer) {
			t.Errorf("%s: %.200s: no %s in\n%s", f.says, request, pattern, answer)
		}
	}
	for _, pattern := range f.lacks {
		if regexp.MustCompile(pattern).MatchString(answer) {
			t.Errorf("%s: %.200s: %s in\n%s", f.says, request, pattern, answer)
		}
	}
	if f.keep != "" {
		handles := elements(answer, "ReceiptHandle")
		if len(handles) == 0 {
			t.Fatalf("%s: no handle in\n%s", f.says, answer)
		}
		kept[f.keep] = handles[0]
	}
}

// properties gives user properties of so many names.
func properties(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "<PropertyValue><Name>n%d</Name><Value>v</Value><Type>STRING</Type></PropertyValue>", i)
	}
	return b.String()
}

// oneProperty gives a message with a user property.
func oneProperty(name, value, kind string) string {
	return "<Message><MessageBody>a</MessageBody><UserProperties><PropertyValue><Name>" + name + "</Name><Value>" + value + "</Value><Type>" + kind + "</Type></PropertyValue></UserProperties></Message>"
}

// speak writes a request as it stands there, with what it needs besides, and gives the answer as it came. The server is
// to answer at once, also where it says 100 before.
func speak(host, request string) (status int, answer string, err error) {
	head, body, _ := strings.Cut(request, "\n\n")
	lines := strings.Split(head, "\n")
	lines[0] += " HTTP/1.1"
	lines = append(lines, "Host: "+host, "Connection: close")
	if !strings.Contains(head, "Transfer-Encoding") {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	if isMNS := !strings.Contains(lines[0], "Action=") && !strings.Contains(lines[0], "Version=") && !strings.Contains(head, "x-acs-"); isMNS && !strings.Contains(strings.ToLower(head), "x-mns-version") {
		lines = append(lines, "x-mns-version: 2015-06-06")
	}
	conn, err := net.DialTimeout("tcp", host, time.Minute)
	if err != nil {
		return 0, "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, "", err
	}
	from := bufio.NewReader(conn)
	if _, err := io.WriteString(conn, strings.Join(lines, "\r\n")+"\r\n\r\n"); err != nil {
		return 0, "", err
	}
	if strings.Contains(head, "Expect: 100-continue") {
		line, err := from.ReadString('\n')
		if err != nil || line != "HTTP/1.1 100 Continue\r\n" {
			return 0, "", fmt.Errorf("the server says %q before the body: %w", line, err)
		}
		if _, err := from.ReadString('\n'); err != nil {
			return 0, "", err
		}
	}
	if _, err := io.WriteString(conn, body); err != nil {
		return 0, "", err
	}
	text, err := io.ReadAll(from)
	if err != nil {
		return 0, "", err
	}
	_, err = fmt.Sscanf(string(text), "HTTP/1.1 %d", &status)
	return status, string(text), err
}
