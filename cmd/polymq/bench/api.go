package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// An apiClient speaks polymq's own JSON API.
type apiClient struct {
	*conn
	*options
	ledger *ledger
	header http.Header
	urls   map[string]*url.URL // by path
}

func newAPIClient(c *conn, o *options, l *ledger) client {
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {userAgent}}
	return &apiClient{conn: c, options: o, ledger: l, header: header, urls: map[string]*url.URL{}}
}

const apiQueues = "/api/v1/queues"

func (c *apiClient) createQueue(name string) (queue, error) {
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		return queue{}, err
	}
	return queue{name: name, url: apiQueues + "/" + name}, c.call(http.MethodPost, apiQueues, body, 0)
}

func (c *apiClient) deleteQueue(q queue) error {
	return c.call(http.MethodDelete, q.url, nil, 0)
}

func (c *apiClient) send(q queue, batch []message) error {
	b := make([]byte, 0, 64+len(batch)*(c.BodySize+32))
	b = append(b, `{"messages":[`...)
	for i, m := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.ledger.appendBody(append(b, `{"body":"`...), m.number)
		b = append(b, `"}`...)
	}
	return c.call(http.MethodPost, q.url+"/messages", append(b, "]}"...), 0)
}

func (c *apiClient) receive(q queue, batch []message, limit int, wait time.Duration) ([]message, error) {
	b := fmt.Appendf(nil, `{"limit":%d,"wait_seconds":%d,"visibility_timeout_seconds":%d}`, limit, int(wait.Seconds()), c.Visibility)
	if err := c.call(http.MethodPost, q.url+"/messages:receive", b, wait); err != nil {
		return batch, err
	}
	err := eachMessage(c.answer.Bytes(), "receipt_handle", "body", func(handle, body []byte) {
		batch = append(batch, c.ledger.message(handle, body))
	})
	return batch, err
}

func (c *apiClient) delete(q queue, batch []message) error {
	b := append(make([]byte, 0, 64+len(batch)*128), `{"receipt_handles":[`...)
	for i, m := range batch {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSON(b, m.handle)
	}
	if err := c.call(http.MethodPost, q.url+"/messages:delete", append(b, "]}"...), 0); err != nil {
		return err
	}
	var answer struct {
		Failed []struct {
			ReceiptHandle string `json:"receipt_handle"`
			Code          string `json:"code"`
		} `json:"failed"`
	}
	if err := json.Unmarshal(c.answer.Bytes(), &answer); err != nil {
		return fmt.Errorf("read the answer to a delete: %w", err)
	}
	for _, f := range answer.Failed {
		refuse(batch, f.ReceiptHandle, f.Code)
	}
	return nil
}

// call sends one request and leaves the answer in c.answer; a status that is not a success is
// an error.
func (c *apiClient) call(method, path string, body []byte, wait time.Duration) error {
	u := c.urls[path]
	if u == nil {
		u = c.endpoint.JoinPath(path)
		c.urls[path] = u
	}
	status, _, err := c.do(method, u, c.header, body, wait)
	if err != nil || status/100 == 2 {
		return err
	}
	refused := &refusal{status: status}
	var problem struct{ Code, Detail string } // RFC 9457, and a code
	if json.Unmarshal(c.answer.Bytes(), &problem) == nil {
		refused.code, refused.message = problem.Code, problem.Detail
	}
	return refused
}

// apiSent is what a send of batch messages answers.
func apiSent(batch int) string {
	ids := make([]string, batch)
	for i := range ids {
		ids[i] = `{"id":"219f8380-5770-4cc2-8c3e-` + strconv.Itoa(100000000000+i) + `"}`
	}
	return `{"messages":[` + strings.Join(ids, ",") + `]}`
}
