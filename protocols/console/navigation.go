package console

// navigation is a row of the menu: a page of its own, which belongs to a group.
type navigation struct {
	Key   string // also the path, but for the overview
	Title string
	Group string
	Icon  string // name of a symbol in icons.html
	Keys  string // what is typed behind g to go there
	only  func(Options) bool
}

// Path gives where the page lies below an account and region.
func (n navigation) Path() string {
	if n.Key == "overview" {
		return "/"
	}
	return "/" + n.Key
}

// menu lists the pages that the navigation shows.
var menu = []navigation{
	{Key: "overview", Title: "Overview", Icon: "chart", Keys: "o"},
	{Key: "queues", Title: "Queues", Group: "Messaging", Icon: "queue", Keys: "q"},
	{Key: "topics", Title: "Topics", Group: "Messaging", Icon: "topic", Keys: "t"},
	{Key: "trace", Title: "Where is my message?", Group: "Messaging", Icon: "trace", Keys: "m"},
	{Key: "outbox", Title: "Outbox", Group: "Messaging", Icon: "outbox", Keys: "b"},
	{Key: "keys", Title: "Access keys", Group: "Server", Icon: "key", Keys: "k"},
	{Key: "audit", Title: "Audit", Group: "Server", Icon: "audit", Keys: "a"},
	{Key: "costs", Title: "Costs", Group: "Server", Icon: "cost", Keys: "c"},
	{Key: "servers", Title: "Servers", Group: "Server", Icon: "server", Keys: "s"},
	{Key: "clock", Title: "Clock and reset", Group: "Server", Icon: "clock", Keys: "l", only: func(o Options) bool { return o.TestMode }},
}

// menuGroup is a part of the menu under a common title.
type menuGroup struct {
	Title string
	Pages []navigation
}

// menuFor gives the menu of a server.
func menuFor(options Options) []menuGroup {
	var groups []menuGroup
	for _, n := range menu {
		if n.only != nil && !n.only(options) {
			continue
		}
		if last := len(groups) - 1; last < 0 || groups[last].Title != n.Group {
			groups = append(groups, menuGroup{Title: n.Group})
		}
		last := &groups[len(groups)-1]
		last.Pages = append(last.Pages, n)
	}
	return groups
}
