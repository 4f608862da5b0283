package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DefaultEndpoint is where a server listens that was told nothing else.
const DefaultEndpoint = "http://127.0.0.1:4566"

// Bounds of a request.
const (
	Timeout   = 2 * time.Minute // longer than the longest wait that the API offers
	maxAnswer = 64 << 20        // a page of a hundred of the largest messages is refused rather than held
	pageSize  = 1000            // entries of a list asked for at once
)

const prefix = "/api/v1"

// userAgent is how the audit log and the message log of a server tell these calls from others.
const userAgent = "polymq"

// Client calls one server.
type Client struct {
	Endpoint  string // "": DefaultEndpoint
	AdminKey  string // ID:SECRET of an administrator's access key, "" for none
	Account   string // whose queues are meant; "": the server's default
	Region    string // likewise
	Transport http.RoundTripper
}

// Request is one call of the API.
type Request struct {
	Method string
	Path   []string // behind /api/v1, its parts not yet escaped
	Query  url.Values
	Body   any // encoded as JSON, nil for none
}

// scope gives the parameters that say whose what a request names is: the API refuses those that it would pass over.
func (in Request) scope() []string {
	switch in.Path[0] {
	case "queues", "topics", "alerts", "attempts", "outbox", "opted-out-numbers":
		return []string{"account", "region"}
	case "accounts", "servers", "version":
		return nil
	case "keys":
		if len(in.Path) > 1 { // ids are unique in all accounts
			return nil
		}
	}
	return []string{"account"}
}

// Do makes a request and reads its answer into out, unless that is nil. What the server refuses is an *Error,
// a server that cannot be reached ErrUnreachable.
func (c *Client) Do(ctx context.Context, in Request, out any) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	r, err := c.newRequest(ctx, in)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Transport: c.Transport, CheckRedirect: stay}).Do(r)
	if err != nil {
		return c.unreachable(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the server's answer: %w", err)
	case len(answer) > maxAnswer:
		return fmt.Errorf("the server's answer is longer than %d MiB, ask for less", maxAnswer>>20)
	case response.StatusCode >= http.StatusMultipleChoices:
		return Refused(response, answer)
	case len(answer) == 0:
		return nil
	case out == nil:
		out = new(json.RawMessage) // a page of another server has not done what was asked for
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("read the server's answer, is %s polymq? %w", c.endpoint(), err)
	}
	return nil
}

// stay follows no redirection: it makes a GET of what was to change something, and that would seem to have been done.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c *Client) newRequest(ctx context.Context, in Request) (*http.Request, error) {
	var body bytes.Buffer
	if in.Body != nil {
		encoder := json.NewEncoder(&body)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(in.Body); err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
	}
	address := c.endpoint() + prefix
	for _, part := range in.Path {
		address += "/" + url.PathEscape(part)
	}
	if c.AdminKey != "" && !strings.Contains(c.AdminKey, ":") {
		return nil, UsageError(errors.New("an administrator's access key must be ID:SECRET (--admin-key or POLYMQ_ADMIN_KEY), there is no colon in this one"))
	}
	r, err := http.NewRequestWithContext(ctx, in.Method, address, &body)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", c.endpoint(), err)
	}
	query := url.Values{}
	for name, values := range in.Query {
		query[name] = values
	}
	whose := map[string]string{"account": c.Account, "region": c.Region}
	for _, name := range in.scope() {
		if whose[name] != "" {
			query.Set(name, whose[name])
		}
	}
	r.URL.RawQuery = query.Encode()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	if c.AdminKey != "" {
		r.Header.Set("Authorization", "Bearer "+c.AdminKey)
	}
	return r, nil
}

func (c *Client) endpoint() string { return URL(cmp.Or(c.Endpoint, DefaultEndpoint)) }

// URL gives a server's URL as it is put before a path; one that names no scheme is of http.
func URL(endpoint string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	if !strings.Contains(endpoint, "://") {
		endpoint = "http://" + endpoint
	}
	return endpoint
}

// List goes through the entries of a list, page by page, as the server wrote them. field is the list's name in
// the answer. It ends with the first error.
func (c *Client) List(ctx context.Context, in Request, field string) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		query := url.Values{}
		for name, values := range in.Query {
			query[name] = values
		}
		if query.Get("limit") == "" {
			query.Set("limit", strconv.Itoa(pageSize))
		}
		in.Method, in.Query = http.MethodGet, query
		for {
			var page map[string]json.RawMessage
			if err := c.Do(ctx, in, &page); err != nil {
				yield(nil, err)
				return
			}
			var entries []json.RawMessage
			var next string
			if page[field] == nil {
				yield(nil, fmt.Errorf("the server's answer has no list of %s, is %s polymq?", field, c.endpoint()))
				return
			}
			if err := cmp.Or(json.Unmarshal(page[field], &entries), unmarshalNext(page["next_cursor"], &next)); err != nil {
				yield(nil, fmt.Errorf("read the server's list of %s: %w", field, err))
				return
			}
			for _, entry := range entries {
				if !yield(entry, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			query.Set("cursor", next)
		}
	}
}

func unmarshalNext(cursor json.RawMessage, next *string) error {
	if cursor == nil {
		return nil // the last page has none
	}
	return json.Unmarshal(cursor, next)
}

// Ready asks a server for its health: what it says of its database, and its time.
func (c *Client) Ready(ctx context.Context) (database string, date time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.endpoint()+"/readyz", nil)
	if err != nil {
		return "", date, err
	}
	response, err := (&http.Client{Transport: c.Transport}).Do(r)
	if err != nil {
		return "", date, c.unreachable(err)
	}
	defer func() { _ = response.Body.Close() }()
	var health struct{ Database string }
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(&health); err != nil {
		return "", date, fmt.Errorf("read the server's health: %w", err)
	}
	date, err = http.ParseTime(response.Header.Get("Date"))
	return health.Database, date, err
}
