package console

import "github.com/polymq/polymq/core"

// navigation is a row of the menu: a page of its own, which belongs to a group.
type navigation struct {
	Key   string // also the path, but for the overview
	Title string
	Group string
	Icon  string // name of a symbol in icons.html
	Keys  string // what is typed behind g to go there
	needs need
	test  bool // only in test mode
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
	{Key: "overview", Title: "Overview", Icon: "chart", Keys: "o", needs: toLook},
	{Key: "queues", Title: "Queues", Group: "Messaging", Icon: "queue", Keys: "q", needs: toLook},
	{Key: "topics", Title: "Topics", Group: "Messaging", Icon: "topic", Keys: "t", needs: toLook},
	{Key: "trace", Title: "Where is my message?", Group: "Messaging", Icon: "trace", Keys: "m", needs: toLook},
	{Key: "outbox", Title: "Outbox", Group: "Messaging", Icon: "outbox", Keys: "b", needs: toRead},
	{Key: "users", Title: "Users and roles", Group: "Access", Icon: "user", Keys: "u", needs: toManage},
	{Key: "policies", Title: "Policies", Group: "Access", Icon: "policy", Keys: "p", needs: toManage},
	{Key: "keys", Title: "Access keys", Group: "Access", Icon: "key", Keys: "k", needs: toManage},
	{Key: "audit", Title: "Audit", Group: "Access", Icon: "audit", Keys: "a", needs: toManage},
	{Key: "alerts", Title: "Alerts", Group: "Server", Icon: "alert", Keys: "w", needs: toLook},
	{Key: "costs", Title: "Costs", Group: "Server", Icon: "cost", Keys: "c", needs: toLook},
	{Key: "servers", Title: "Servers", Group: "Server", Icon: "server", Keys: "s", needs: toLook},
	{Key: "clock", Title: "Clock and reset", Group: "Server", Icon: "clock", Keys: "l", needs: toManage, test: true},
	{Key: "faults", Title: "Faults", Group: "Server", Icon: "fault", Keys: "f", needs: toLook, test: true},
}

// menuGroup is a part of the menu under a common title.
type menuGroup struct {
	Title string
	Pages []navigation
}

// menuFor gives the menu of a server to somebody.
func menuFor(options Options, grants *core.Grants) []menuGroup {
	var groups []menuGroup
	for _, n := range menu {
		if n.test && !options.TestMode || !n.needs.meets(grants) {
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
