package core_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/polymq/polymq/core"
)

// slowReads is a store of fault rules and limits whose next read answers, with what it found when it began, once slow is closed.
type slowReads struct {
	*stubStore
	faults []core.Fault
	limits []core.AccountLimits
	slow   chan struct{} // of the next read; nil: it answers at once
}

// answer waits as long as the read is to take.
func (s *slowReads) answer() {
	var slow chan struct{}
	s.change(func() { slow, s.slow = s.slow, nil })
	if slow != nil {
		<-slow
	}
}

func (s *slowReads) Faults(context.Context, string, int) (found []core.Fault, err error) {
	s.change(func() { found = s.faults })
	s.answer()
	return found, nil
}

func (s *slowReads) PutFault(_ context.Context, f core.Fault) (core.Fault, error) {
	s.change(func() { s.faults = []core.Fault{f} })
	return f, nil
}

func (s *slowReads) DeleteFault(context.Context, string, string) error {
	s.change(func() { s.faults = nil })
	return nil
}

func (s *slowReads) HitFault(context.Context, string, string) (bool, error) { return true, nil }

func (s *slowReads) ListAccountLimits(context.Context) (found []core.AccountLimits, err error) {
	s.change(func() { found = s.limits })
	s.answer()
	return found, nil
}

func (s *slowReads) SetAccountLimits(_ context.Context, limits core.AccountLimits) error {
	s.change(func() { s.limits = []core.AccountLimits{limits} })
	return nil
}

func (s *slowReads) TellLimits(context.Context, int64, []string) error { return nil }

func (s *slowReads) LiveServers() int { return 1 }

// A server goes by a fault rule from when it was made, and by none from when it was deleted, and so it is with limits: what a
// worker had begun to read before does not undo it.
func TestChangesOutliveReadsThatBeganBefore(t *testing.T) {
	fault := core.Fault{Account: orders.Account, Name: "away", Effect: core.FaultError, Code: core.Unavailable, Probability: 1}
	none, one := 0, 1
	send := func(b *core.Broker) bool {
		_, err := b.SendMessages(context.Background(), core.SendInput{Queue: orders, Messages: make([]core.NewMessage, 1)})
		return core.CodeOf(err) == core.Unavailable
	}
	admitted := func(b *core.Broker) bool {
		for range 3 {
			if b.Admit(orders.Account) != nil {
				return false
			}
		}
		return true
	}
	tests := map[string]struct {
		before, change func(*core.Broker) error
		read           func(*core.Broker) error
		holds          func(*core.Broker) bool
	}{
		"a new rule": {
			before: func(*core.Broker) error { return nil },
			change: func(b *core.Broker) error { _, err := b.CreateFault(context.Background(), fault); return err },
			read:   func(b *core.Broker) error { return b.LoadFaults(context.Background()) },
			holds:  send,
		},
		"a rule that ends": {
			before: func(b *core.Broker) error { _, err := b.CreateFault(context.Background(), fault); return err },
			change: func(b *core.Broker) error { return b.DeleteFault(context.Background(), fault.Account, fault.Name) },
			read:   func(b *core.Broker) error { return b.LoadFaults(context.Background()) },
			holds:  func(b *core.Broker) bool { return !send(b) },
		},
		"a limit": {
			before: func(*core.Broker) error { return nil },
			change: func(b *core.Broker) error {
				return b.SetAccountLimits(context.Background(), core.AccountLimits{Account: orders.Account, Requests: &one})
			},
			read:  func(b *core.Broker) error { return b.RefreshLimits(context.Background()) },
			holds: func(b *core.Broker) bool { return !admitted(b) },
		},
		"a limit that ends": {
			before: func(b *core.Broker) error {
				return b.SetAccountLimits(context.Background(), core.AccountLimits{Account: orders.Account, Requests: &one})
			},
			change: func(b *core.Broker) error {
				return b.SetAccountLimits(context.Background(), core.AccountLimits{Account: orders.Account, Requests: &none})
			},
			read:  func(b *core.Broker) error { return b.RefreshLimits(context.Background()) },
			holds: admitted,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &slowReads{stubStore: newStub()}
				store.queues[orders] = &core.Queue{ID: 1, Version: 1, Name: orders, Settings: core.DefaultSettings()}
				broker := core.NewBroker(store)
				defer broker.Close()
				if err := tt.before(broker); err != nil {
					t.Fatal(err)
				}
				slow := make(chan struct{})
				store.slow = slow
				read := make(chan error)
				go func() { read <- tt.read(broker) }()
				synctest.Wait()
				if err := tt.change(broker); err != nil {
					t.Fatal(err)
				}
				if !tt.holds(broker) {
					t.Error("it does not hold at once")
				}
				close(slow)
				if err := <-read; err != nil {
					t.Fatal(err)
				}
				if !tt.holds(broker) {
					t.Error("it holds no more once the read has ended that began before")
				}
			})
		})
	}
}
