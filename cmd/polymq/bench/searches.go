package bench

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"time"
)

// searchedText is in no message, so that each search goes through the whole queue.
const searchedText = "never to be found"

// nextPage is the button of a page of a search that leads to the next one.
var nextPage = regexp.MustCompile(`hx-get="([^"]*/search\?[^"]*)"`)

// A search is somebody who looks through the first queue in the console, page after page, again and again. The time of a
// page is recorded, but it is none of the requests that the mode is about.
type search struct {
	*load
	conn *conn
}

// newSearch connects nothing yet.
func (l *load) newSearch() *search {
	endpoint := l.endpoints[0]
	return &search{l, &conn{transport: newTransport(1), endpoint: endpoint, timeout: l.Timeout}}
}

// run searches until it is stopped.
func (s *search) run(ctx context.Context, stop <-chan struct{}) {
	s.conn.within(ctx)
	first := s.conn.endpoint.JoinPath("console", s.Account, s.Region, "queues", s.queues[0].name, "search")
	first.RawQuery = url.Values{"text": {searchedText}}.Encode()
	for page := first; !stopped(stop); {
		next, err := s.page(page)
		if err != nil {
			s.recorder.Load().fail(opSearch, kindOf(err), err.Error())
			pause(ctx, afterError, stop)
		}
		if page = first; next != nil {
			page = next
		}
	}
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}

// page reads a page and gives the address of the next one, nil where it is the last.
func (s *search) page(page *url.URL) (next *url.URL, err error) {
	begin := time.Now()
	status, _, err := s.conn.do(http.MethodGet, page, http.Header{"User-Agent": {userAgent}}, nil, 0)
	switch {
	case err != nil:
		return nil, err
	case status != http.StatusOK:
		return nil, &refusal{status: status, message: "this takes a polymq whose console is open to all"}
	}
	s.recorder.Load().observe(opSearch, time.Since(begin))
	found := nextPage.FindSubmatch(s.conn.answer.Bytes())
	if found == nil {
		return nil, nil
	}
	if next, err = page.Parse(html.UnescapeString(string(found[1]))); err != nil {
		return nil, fmt.Errorf("read the address of a search's next page: %w", err)
	}
	return next, nil
}
