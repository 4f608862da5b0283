package bench

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	mnsVersion     = "2015-06-06"
	mnsContentType = "text/xml;charset=UTF-8"
	mnsNamespace   = `xmlns="http://mns.aliyuncs.com/doc/v1/"`
)

// An mnsClient speaks MNS in its XML protocol.
type mnsClient struct {
	*conn
	*options
	ledger *ledger
	header http.Header // as sent unsigned
	second int64       // of header's date
}

func newMNSClient(c *conn, o *options, l *ledger) client {
	return &mnsClient{conn: c, options: o, ledger: l}
}

func (c *mnsClient) createQueue(name string) (queue, error) {
	path := "/queues/" + name
	body := fmt.Appendf(nil, `<Queue %s><VisibilityTimeout>%d</VisibilityTimeout></Queue>`, mnsNamespace, c.Visibility)
	return queue{name: name, url: path}, c.call(http.MethodPut, path, body, 0)
}

func (c *mnsClient) deleteQueue(q queue) error {
	return c.call(http.MethodDelete, q.url, nil, 0)
}

func (c *mnsClient) send(q queue, batch []message) error {
	b := make([]byte, 0, 128+len(batch)*(c.BodySize+64))
	if len(batch) == 1 {
		b = c.appendMessage(b, " "+mnsNamespace, batch[0].number)
		return c.call(http.MethodPost, q.url+"/messages", b, 0)
	}
	b = append(b, "<Messages "+mnsNamespace+">"...)
	for _, m := range batch {
		b = c.appendMessage(b, "", m.number)
	}
	err := c.call(http.MethodPost, q.url+"/messages", append(b, "</Messages>"...), 0)
	if err == nil || !c.answered("<Messages") {
		return err
	}
	i := 0 // some entries failed: the answer has one element for each, in the order of the request
	for m := range elements(c.answer.Bytes(), "Message") {
		if i < len(batch) {
			batch[i].failed = text(m, "ErrorCode")
		}
		i++
	}
	return nil
}

// appendMessage appends message n as an element with the given attributes.
func (c *mnsClient) appendMessage(b []byte, attributes string, n uint64) []byte {
	b = append(b, "<Message"+attributes+"><MessageBody>"...)
	b = append(c.ledger.appendBody(b, n), "</MessageBody>"...)
	if c.Priorities > 0 {
		b = append(b, "<Priority>"...)
		b = strconv.AppendUint(b, 1+n%uint64(c.Priorities), 10)
		b = append(b, "</Priority>"...)
	}
	return append(b, "</Message>"...)
}

func (c *mnsClient) receive(q queue, batch []message, limit int, wait time.Duration) ([]message, error) {
	path := q.url + "/messages?waitseconds=" + strconv.Itoa(int(wait.Seconds()))
	if limit > 1 {
		path += "&numOfMessages=" + strconv.Itoa(limit)
	}
	err := c.call(http.MethodGet, path, nil, wait)
	var refused *refusal
	if errors.As(err, &refused) && refused.code == "MessageNotExist" {
		return batch, nil // how MNS says that there is nothing
	}
	if err != nil {
		return batch, err
	}
	for m := range elements(c.answer.Bytes(), "Message") {
		batch = append(batch, c.ledger.message([]byte(text(m, "ReceiptHandle")), []byte(text(m, "MessageBody"))))
	}
	return batch, nil
}

func (c *mnsClient) delete(q queue, batch []message) error {
	if len(batch) == 1 {
		return c.call(http.MethodDelete, q.url+"/messages?ReceiptHandle="+url.QueryEscape(batch[0].handle), nil, 0)
	}
	b := append(make([]byte, 0, 128+len(batch)*160), "<ReceiptHandles "+mnsNamespace+">"...)
	for _, m := range batch {
		b = append(b, "<ReceiptHandle>"...)
		b = append(b, html.EscapeString(m.handle)...)
		b = append(b, "</ReceiptHandle>"...)
	}
	err := c.call(http.MethodDelete, q.url+"/messages", append(b, "</ReceiptHandles>"...), 0)
	if err == nil || !c.answered("<Errors") {
		return err
	}
	for e := range elements(c.answer.Bytes(), "Error") { // the failed ones alone
		refuse(batch, text(e, "ReceiptHandle"), text(e, "ErrorCode"))
	}
	return nil
}

// answered says whether the last answer has this start tag.
func (c *mnsClient) answered(tag string) bool {
	return bytes.Contains(c.answer.Bytes(), []byte(tag))
}

// call sends one request to a path with its query and leaves the answer in c.answer; a status
// that is not a success is an error.
func (c *mnsClient) call(method, target string, body []byte, wait time.Duration) error {
	path, query, _ := strings.Cut(target, "?")
	u := &url.URL{Scheme: c.endpoint.Scheme, Host: c.endpoint.Host, Path: path, RawQuery: query}
	status, _, err := c.do(method, u, c.headers(method, target), body, wait)
	if err != nil || status/100 == 2 {
		return err
	}
	return &refusal{status: status, code: text(c.answer.Bytes(), "Code"), message: text(c.answer.Bytes(), "Message")}
}

// headers returns a request's header; unless signed it is made anew once a second, for its date.
func (c *mnsClient) headers(method, target string) http.Header {
	now := time.Now()
	if !c.Sign && c.second == now.Unix() {
		return c.header
	}
	date, authorization := now.UTC().Format(http.TimeFormat), "MNS "+c.AccessKey+":unsigned"
	const own = "x-mns-version:" + mnsVersion + "\n"
	switch {
	case c.Sign && c.Signature == 4:
		authorization = mnsAuthorization4(c.AccessKey, c.SecretKey, c.Region, now, method, "content-type:"+mnsContentType+"\n"+own, target)
	case c.Sign:
		authorization = "MNS " + c.AccessKey + ":" + mnsSignature(c.SecretKey, method, mnsContentType, date, own, target)
	}
	c.second = now.Unix()
	c.header = http.Header{
		"Content-Type":  {mnsContentType},
		"Date":          {date},
		"X-Mns-Version": {mnsVersion},
		"User-Agent":    {userAgent},
		"Authorization": {authorization},
	}
	return c.header
}

// mnsSignature is MNS's signature version 2 of a request without Content-MD5; headers are its
// x-mns- headers, a line each.
func mnsSignature(secret, method, contentType, date, headers, target string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	fmt.Fprintf(mac, "%s\n\n%s\n%s\n%s%s", method, contentType, date, headers, target)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// mnsAuthorization4 is the header of MNS's signature version 4; headers are those that it covers, a line each. The
// target's escapes are those that the signature wants.
func mnsAuthorization4(key, secret, region string, at time.Time, method, headers, target string) string {
	const end = "aliyun_v4_request"
	stamp := at.UTC().Format("20060102T150405Z")
	scope := stamp[:8] + "/" + region + "/mns/" + end
	path, query, _ := strings.Cut(target, "?")
	parameters := strings.Split(query, "&")
	for i, p := range parameters {
		name, value, _ := strings.Cut(p, "=")
		parameters[i] = strings.ToLower(name)
		if value != "" {
			parameters[i] += "=" + value
		}
	}
	slices.Sort(parameters)
	signing := []byte("aliyun_v4" + secret)
	for _, step := range []string{stamp[:8], region, "mns", end} {
		signing = hmacSHA256(signing, step)
	}
	text := "MNS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + method + "\n" + path + "\n" + strings.Join(parameters, "&") + "\n" + headers + "\n"
	return "MNS4-HMAC-SHA256 Credential=" + key + "/" + scope + ",Signature=" + hex.EncodeToString(hmacSHA256(signing, text))
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// elements yields the content of each element of a name that does not contain itself.
func elements(xml []byte, name string) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		for {
			content, rest, ok := element(xml, name)
			if !ok || !yield(content) {
				return
			}
			xml = rest
		}
	}
}

// text returns the text of the first element of a name, empty if there is none.
func text(xml []byte, name string) string {
	content, _, _ := element(xml, name)
	return html.UnescapeString(string(content)) // XML's references are among HTML's
}

// element finds the first element of a name, its content and what follows it. It knows as much
// of XML as MNS's answers use (no comments, no CDATA), at a tenth of encoding/xml's cost.
func element(xml []byte, name string) (content, rest []byte, ok bool) {
	for {
		i := bytes.Index(xml, []byte("<"+name))
		if i < 0 {
			return nil, nil, false
		}
		xml = xml[i+1+len(name):]
		end := bytes.IndexByte(xml, '>')
		if end < 0 {
			return nil, nil, false
		}
		if !strings.ContainsRune("> \t\r\n", rune(xml[0])) { // a longer name, such as Messages
			continue
		}
		return bytes.Cut(xml[end+1:], []byte("</"+name+">"))
	}
}

// mnsSent is what SendMessage, or BatchSendMessage, answers.
func mnsSent(batch int) string {
	const prolog = `<?xml version="1.0" encoding="utf-8"?>` + "\n"
	const result = `<MessageId>250EB49D5F8D737A391C93C6ED165396</MessageId><MessageBodyMD5>0733351879B2FA9BD05C7CA3061529C0</MessageBodyMD5></Message>`
	if batch == 1 {
		return prolog + "<Message " + mnsNamespace + ">" + result
	}
	return prolog + "<Messages " + mnsNamespace + ">" + strings.Repeat("<Message>"+result, batch) + "</Messages>"
}
