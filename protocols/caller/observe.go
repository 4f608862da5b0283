package caller

import (
	"context"
	"time"
)

// Observer is told of every request that is answered: what was asked for, how it ended ("" for well, else
// the protocol's code) and how long that took. It must not block.
type Observer func(protocol, action, code string, took time.Duration)

// Meter is told of every request that is answered, and whose it was, for bills. It must not block.
type Meter func(c *Caller, protocol, action, code string)

// Tracer is told of every request that is answered, as the Observer is, with the context of the request. It must not
// block.
type Tracer func(ctx context.Context, c *Caller, protocol, action, code string)

// Observe tells the observer, the meter and the tracer, if there are any, of a request that is answered. Whatever the protocol
// does not have is called unknown: clients choose what they send, and each name is counted by itself.
func (o *Options) Observe(c *Caller, protocol, action string, known bool, code string) {
	if o.Meter != nil && known {
		o.Meter(c, protocol, action, code)
	}
	if !known {
		action = "unknown"
	}
	if o.Observer != nil {
		o.Observer(protocol, action, code, time.Since(c.Began))
	}
	if o.Tracer != nil && c.ctx != nil {
		o.Tracer(c.ctx, c, protocol, action, code)
	}
}
