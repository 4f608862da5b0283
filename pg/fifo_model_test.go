package pg_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

// fifoModel is a FIFO queue in memory, beside the real one that two servers serve.
type fifoModel struct {
	*modelClock
	servers [2]*testQueue
	groups  map[string]*modelGroup
	bodies  int
	gone    []string // handles of messages that were deleted or purged
	sent    map[string]modelSent
}

// modelGroup is a message group that has messages, in their order.
type modelGroup struct {
	id       string
	messages []*modelMessage
	due      time.Duration // when it became available, or will
}

// modelSent is what the model remembers of a deduplication id.
type modelSent struct {
	at time.Duration
	id core.MessageID
}

func (m *fifoModel) server(t *rapid.T) *testQueue {
	return m.servers[rapid.IntRange(0, 1).Draw(t, "server")]
}

func (m *fifoModel) timeout(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.IntRange(0, 3).Draw(t, label)) * modelTimeout
}

func (m *fifoModel) send(t *rapid.T) {
	m.tick(t)
	n := rapid.IntRange(1, 4).Draw(t, "messages")
	messages := make([]core.NewMessage, n)
	for i := range messages {
		m.bodies++
		messages[i] = core.NewMessage{Body: fmt.Appendf(nil, "%04d", m.bodies), GroupID: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "group")}
		if rapid.IntRange(0, 2).Draw(t, "deduplicated") == 0 {
			messages[i].DeduplicationID = rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "id")
		}
		messages[i].Delay = ptr(time.Duration(0))
		if rapid.IntRange(0, 5).Draw(t, "delayed") == 0 {
			messages[i].Delay = ptr(m.timeout(t, "delay"))
		}
	}
	for i, sent := range m.server(t).sendMessages(messages...) {
		before, known := m.sent[messages[i].DeduplicationID]
		duplicate := messages[i].DeduplicationID != "" && known && m.now < before.at+core.DeduplicationWindow
		if sent.Duplicate != duplicate || duplicate && sent.ID != before.id {
			t.Fatalf("%s with id %q: duplicate %v, want %v", messages[i].Body, messages[i].DeduplicationID, sent.Duplicate, duplicate)
		}
		if duplicate {
			continue
		}
		m.sent[messages[i].DeduplicationID] = modelSent{m.now, sent.ID}
		m.add(messages[i].GroupID, &modelMessage{body: string(messages[i].Body), visible: m.now + *messages[i].Delay}, sent.Handle)
	}
}

func (m *fifoModel) add(group string, message *modelMessage, handle string) {
	if handle != "" {
		message.newest, message.handles = handle, []string{handle}
	}
	g := m.groups[group]
	if g == nil {
		g = &modelGroup{id: group, due: message.visible}
		m.groups[group] = g
	}
	g.messages = append(g.messages, message)
}

// changed brings a group in line with its messages after an operation.
func (m *fifoModel) changed(g *modelGroup) {
	switch {
	case len(g.messages) == 0:
		delete(m.groups, g.id)
	case g.messages[0].visible > m.now:
		g.due = g.messages[0].visible
	case g.due > m.now:
		g.due = m.now
	}
}

// available gives the groups that have something to give, in the order in which they became so.
func (m *fifoModel) available() (groups []*modelGroup) {
	for _, g := range m.groups {
		if g.due <= m.now {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, (*modelGroup).order)
	return groups
}

func (g *modelGroup) order(other *modelGroup) int {
	return cmp.Compare(g.due, other.due)
}

// prefix gives the messages of a group up to the first that is hidden.
func (m *fifoModel) prefix(g *modelGroup) []*modelMessage {
	if n := slices.IndexFunc(g.messages, func(message *modelMessage) bool { return message.visible > m.now }); n >= 0 {
		return g.messages[:n]
	}
	return g.messages
}

func (m *fifoModel) receive(t *rapid.T) {
	m.tick(t)
	limit, timeout := rapid.IntRange(1, 6).Draw(t, "limit"), m.timeout(t, "timeout")
	groups, total := m.available(), 0
	for _, g := range groups {
		total += len(m.prefix(g))
	}
	got := m.server(t).receiveFor(limit, timeout)
	if len(got) != min(limit, total) {
		t.Fatalf("received %q, want %d messages of %s", bodies(got), min(limit, total), m)
	}
	taken := 0
	for len(got) > 0 {
		place := slices.IndexFunc(groups, func(g *modelGroup) bool { return g.id == got[0].GroupID })
		if place < 0 || groups[place].order(groups[0]) != 0 {
			t.Fatalf("received %q of group %q out of turn of %s", got[0].Body, got[0].GroupID, m)
		}
		g := groups[place]
		groups = slices.Delete(groups, place, place+1)
		prefix := m.prefix(g)[:min(len(m.prefix(g)), limit-taken)]
		for i, message := range prefix {
			message.count++
			if string(got[i].Body) != message.body || got[i].ReceiveCount != message.count {
				t.Fatalf("received %q for the %d. time, want %q for the %d. of %s", got[i].Body, got[i].ReceiveCount, message.body, message.count, m)
			}
			message.visible, message.newest = m.now+timeout, got[i].Handle
			message.handles = append(message.handles, got[i].Handle)
		}
		g.due = m.now + timeout
		got, taken = got[len(prefix):], taken+len(prefix)
	}
}

// String shows the groups.
func (m *fifoModel) String() string {
	text := fmt.Sprintf("(at %v)", m.now)
	for _, id := range []string{"a", "b", "c", "d"} {
		if g := m.groups[id]; g != nil {
			text += fmt.Sprintf(" %s due %v: %v;", g.id, g.due, describe(g.messages))
		}
	}
	return text
}

// handle draws a handle and says whose it is; nil for those of messages that are gone.
func (m *fifoModel) handle(t *rapid.T) (handle string, g *modelGroup, of *modelMessage) {
	all := slices.Clone(m.gone)
	for _, id := range []string{"a", "b", "c", "d"} {
		if g := m.groups[id]; g != nil {
			for _, message := range g.messages {
				all = append(all, message.handles...)
			}
		}
	}
	if len(all) == 0 {
		t.Skip("no handles yet")
	}
	handle = rapid.SampledFrom(all).Draw(t, "handle")
	for _, g := range m.groups {
		for _, message := range g.messages {
			if slices.Contains(message.handles, handle) {
				return handle, g, message
			}
		}
	}
	return handle, nil, nil
}

func (m *fifoModel) refusal(handle string, of *modelMessage, newest bool) core.Code {
	return (&model{modelClock: m.modelClock}).refusal(handle, of, newest)
}

func (m *fifoModel) delete(t *rapid.T) {
	m.tick(t)
	handle, g, of := m.handle(t)
	want := m.refusal(handle, of, true) // whatever is asked for
	if got := m.server(t).delete(rapid.Bool().Draw(t, "newest"), handle); got[0] != want {
		t.Fatalf("delete: %q, want %q", got[0], want)
	}
	if want == "" {
		g.messages = slices.DeleteFunc(g.messages, func(message *modelMessage) bool { return message == of })
		m.gone = append(m.gone, of.handles...)
		m.changed(g)
	}
}

func (m *fifoModel) changeVisibility(t *rapid.T) {
	m.tick(t)
	handle, g, of := m.handle(t)
	timeout, newest, rotate := m.timeout(t, "timeout"), rapid.Bool().Draw(t, "newest"), rapid.Bool().Draw(t, "rotate")
	want := m.refusal(handle, of, newest)
	got := m.server(t).change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{{Handle: handle, Timeout: timeout}}, Newest: newest, Rotate: rotate})[0]
	if code := codes([]error{got.Err})[0]; code != want {
		t.Fatalf("change visibility: %q, want %q", code, want)
	}
	if want != "" || of.visible <= m.now { // a visible message stays as it is
		return
	}
	of.visible = m.now + timeout
	if rotate {
		of.newest = got.Handle
		of.handles = append(of.handles, got.Handle)
	}
	m.changed(g)
}

func (m *fifoModel) giveBack(t *rapid.T) {
	m.tick(t)
	handle, g, of := m.handle(t)
	m.server(t).giveBack(core.Message{Handle: handle})
	if of == nil || handle != of.newest || of.count == 0 {
		return
	}
	of.visible, of.newest = m.now, ""
	of.count--
	m.changed(g)
}

func (m *fifoModel) purge(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "rarely") != 0 {
		t.Skip("not now")
	}
	m.server(t).purge()
	for _, g := range m.groups {
		for _, message := range g.messages {
			m.gone = append(m.gone, message.handles...)
		}
	}
	m.groups, m.sent = map[string]*modelGroup{}, map[string]modelSent{}
}

func (m *fifoModel) moveTime(t *rapid.T) {
	m.move(t, time.Duration(rapid.IntRange(1, 8).Draw(t, "steps"))*modelStep)
}

// check compares what is visible, and the counts.
func (m *fifoModel) check(t *rapid.T) {
	var want core.QueueCounts
	visible := map[string]bool{}
	for _, g := range m.groups {
		for _, message := range g.messages {
			want.Bytes += int64(len(message.body))
			switch {
			case message.visible <= m.now:
				want.Visible++
				visible[message.body] = true
			case message.count > 0:
				want.InFlight++
			default:
				want.Delayed++
			}
		}
	}
	server := m.server(t)
	if got := server.describe().Counts; got != want {
		t.Fatalf("counts %+v, want %+v of %s", got, want, m)
	}
	peeked := bodies(peekAll(server, false))
	if len(peeked) != len(visible) || !slices.IsSorted(peeked) || slices.ContainsFunc(peeked, func(body string) bool { return !visible[body] }) {
		t.Fatalf("peeked at %q of %s", peeked, m)
	}
}

// TestFIFOModel runs random operations on two servers beside the model.
func TestFIFOModel(t *testing.T) {
	t.Parallel()
	if err := fewChecks(); err != nil {
		t.Fatal(err)
	}
	url, stores, brokers := servers(t, pg.Options{})
	clocks := stopClocks(t, url)
	rapid.Check(t, func(r *rapid.T) {
		q := newFIFO(fatal{t, r}, brokers[0], func(s *core.Settings) { s.Retention = core.MaxRetention })
		m := &fifoModel{modelClock: stopClock(t, clocks, q.name.Account), servers: [2]*testQueue{q, q.through(brokers[1])}, groups: map[string]*modelGroup{}, sent: map[string]modelSent{}}
		r.Repeat(map[string]func(*rapid.T){
			"send": m.send, "send more": m.send, "receive": m.receive, "receive more": m.receive, "delete": m.delete, "delete more": m.delete,
			"change visibility": m.changeVisibility, "give back": m.giveBack, "purge": m.purge, "move time": m.moveTime,
			"fold": func(t *rapid.T) { (&model{}).fold(t, stores[0]) },
			"":     m.check,
		})
	})
}
