package mns

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// Versions of the API, as x-mns-version names them.
const (
	version     = "2015-06-06"
	jsonVersion = "2026-04-09"
)

// maxBody bounds a request: a message of 1 MiB, as a queue that SQS made may hold, of which every
// byte is written as a reference of six, and what stands around it.
const maxBody = 6<<20 + 256<<10

// request is what a client sent, in the protocol's terms; an action's parameters are yet to be
// taken out of it (bind).
type request struct {
	method string
	header http.Header
	target target
	query  query
	doc    *scanner // behind the start tag of the root; nil without a body
	root   string   // name of the root element; "" without a body
	json   []byte   // the document of a request in JSON
}

// readRequest reads a request whole.
func readRequest(r *http.Request) (*request, error) {
	if err := checkVersion(r.Header); err != nil {
		return nil, err
	}
	in := &request{method: r.Method, header: r.Header, target: targetOf(r.URL.Path)}
	var err error
	if in.query, err = parseQuery(r.URL.RawQuery); err != nil {
		return nil, err
	}
	body, err := caller.ReadBody(r, maxBody)
	switch {
	case errors.Is(err, caller.ErrTooLarge):
		return nil, core.Errorf(core.InvalidArgument, "a request has at most %d bytes", maxBody)
	case err != nil:
		return nil, wireError{http.StatusBadRequest, "InvalidArgument", err.Error()}
	}
	if err := checkDigest(r.Header, body); err != nil {
		return nil, err
	}
	switch {
	case len(body) == 0:
		return in, nil
	case isJSON(r.Header):
		in.json, in.root = body, rootOf(body)
		return in, nil
	}
	if in.doc, err = newScanner(body); err != nil {
		return nil, err
	}
	in.root, err = in.doc.root()
	return in, err
}

// checkVersion lets a request without a version pass, as one by hand may be. One that must be signed is made
// by a client, which names its version (Server.do).
func checkVersion(header http.Header) error {
	switch v := header.Get("X-Mns-Version"); v {
	case "", version, jsonVersion:
		return nil
	default:
		return wireError{http.StatusBadRequest, "InvalidVersionHeader", fmt.Sprintf("x-mns-version must be %s or %s, was %.40q", version, jsonVersion, v)}
	}
}

// isJSON says that a request, and its answer, are in JSON.
func isJSON(header http.Header) bool { return header.Get("X-Mns-Version") == jsonVersion }

// checkDigest compares Content-MD5 with the body. Clients write base64 of the digest, base64 of its
// hexadecimal form, or that form itself (specs/mns.md 1.5).
func checkDigest(header http.Header, body []byte) error {
	given := header.Get("Content-Md5")
	if given == "" {
		return nil
	}
	digest := md5.Sum(body)
	if decoded, err := base64.StdEncoding.DecodeString(given); err == nil {
		if bytes.Equal(decoded, digest[:]) {
			return nil
		}
		if len(decoded) == hex.EncodedLen(len(digest)) {
			given = string(decoded)
		}
	}
	if strings.EqualFold(given, hex.EncodeToString(digest[:])) {
		return nil
	}
	return wireError{http.StatusBadRequest, "InvalidDigest", "Content-MD5 is not that of the body"}
}

// resource is a kind of what a path addresses.
type resource int

const (
	unknown       resource = iota
	account                // /
	service                // /commonbuy/openservice
	queues                 // /queues
	queue                  // /queues/NAME
	messages               // /queues/NAME/messages
	topics                 // /topics
	topic                  // /topics/NAME
	topicMessages          // /topics/NAME/messages
	subscriptions          // /topics/NAME/subscriptions
	subscription           // /topics/NAME/subscriptions/NAME
)

// target is what a path addresses.
type target struct {
	resource     resource
	name         string // of the queue or topic
	subscription string // of the topic
}

// targetOf reads a path. The words of a path may be in any case and stand between any number of
// slashes, for clients differ in both.
func targetOf(path string) target {
	var parts [5]string
	n := 0
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		if n == len(parts) {
			return target{}
		}
		parts[n] = part
		n++
	}
	kind, name, of := strings.ToLower(parts[0]), parts[1], strings.ToLower(parts[2])
	t := target{name: name}
	switch {
	case n == 0:
		t.resource = account
	case n == 2 && kind == "commonbuy" && strings.EqualFold(name, "openservice"):
		t.resource = service
	case n == 1 && kind == "queues":
		t.resource = queues
	case n == 2 && kind == "queues":
		t.resource = queue
	case n == 3 && kind == "queues" && of == "messages":
		t.resource = messages
	case n == 1 && kind == "topics":
		t.resource = topics
	case n == 2 && kind == "topics":
		t.resource = topic
	case n == 3 && kind == "topics" && of == "messages":
		t.resource = topicMessages
	case n == 3 && kind == "topics" && of == "subscriptions":
		t.resource = subscriptions
	case n == 4 && kind == "topics" && of == "subscriptions":
		t.resource, t.subscription = subscription, parts[3]
	}
	return t
}

// query holds the parameters behind the path; their names, which clients spell in several ways, in
// lower case.
type query []parameter

type parameter struct{ name, value string }

// The parameters that MNS knows. A switch is given only when it is true.
var (
	switches   = []string{"accountmeta", "metaoverride", "peekonly"}
	parameters = []string{"account", "numofmessages", "receipthandle", "visibilitytimeout", "waitseconds"}
)

// parseQuery decodes escapes; a plus is one, for handles come unescaped.
func parseQuery(raw string) (query, error) {
	if raw == "" {
		return nil, nil
	}
	var q query
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name = strings.ToLower(name)
		value, err := url.PathUnescape(value)
		isSwitch := slices.Contains(switches, name)
		on := strings.EqualFold(value, "true")
		switch {
		case part == "", isSwitch && strings.EqualFold(value, "false"):
			continue
		case err != nil, isSwitch && !on, !q.lacks(name):
			return nil, badQuery("the query parameter %.40q has a bad value, or two", name)
		case !isSwitch && !slices.Contains(parameters, name):
			return nil, badQuery("the query parameter %.40q is none of MNS's", name)
		}
		q = append(q, parameter{name, value})
	}
	return q, nil
}

func badQuery(format string, args ...any) error {
	return wireError{http.StatusBadRequest, "InvalidQueryString", fmt.Sprintf(format, args...)}
}

func (q query) get(name string) (value string, ok bool) {
	for _, p := range q {
		if p.name == name {
			return p.value, true
		}
	}
	return "", false
}

func (q query) lacks(name string) bool {
	_, ok := q.get(name)
	return !ok
}
