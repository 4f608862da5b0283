package console

import (
	"time"

	"github.com/polymq/polymq/core"
)

// clockPage is the data of clock.html.
type clockPage struct {
	Now   time.Time
	Ahead time.Duration
}

// inTestMode refuses what only tests should do.
func (s *Server) inTestMode(x *exchange) error {
	if s.options.TestMode {
		return nil
	}
	return x.problem(core.AccessDenied, x.t("This is for servers that were started with --test-mode."))
}

// showClock shows the account's time.
func (s *Server) showClock(x *exchange) error {
	if err := s.inTestMode(x); err != nil {
		return err
	}
	now, err := s.broker.AdvanceClock(x.ctx(), x.account, 0)
	if err != nil {
		return err
	}
	data := clockPage{Now: now, Ahead: time.Until(now).Round(time.Second)}
	return s.show(x, "clock.html", &page{Title: "Clock and reset", Active: "clock", Data: data, Snippets: clockSnippets(x)})
}

// maxAdvance is how far one form moves time.
const maxAdvance = 366 * 24 * time.Hour

// advanceClock moves the account's time forward.
func (s *Server) advanceClock(x *exchange) error {
	if err := s.inTestMode(x); err != nil {
		return err
	}
	units := map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}
	unit := units[x.field("unit")]
	if unit == 0 {
		unit = time.Second
	}
	f := x.form()
	by := f.duration("by", unit, maxAdvance)
	if f.err != nil {
		return f.err
	}
	if by == nil {
		return x.problem(core.InvalidArgument, x.t("Say how far time is to be moved."))
	}
	if _, err := s.broker.AdvanceClock(x.ctx(), x.account, *by); err != nil {
		return err
	}
	return x.done("/clock", x.t("Time was moved forward by %s.", showDuration(x.language, *by)))
}

// resetAccount removes all that the account has, once its number was typed.
func (s *Server) resetAccount(x *exchange) error {
	if err := s.inTestMode(x); err != nil {
		return err
	}
	f := x.form()
	f.confirm(x.account)
	if f.err != nil {
		return f.err
	}
	if err := s.broker.ResetAccount(x.ctx(), x.account); err != nil {
		return err
	}
	return x.done("/clock", x.t("Account %s is empty, and its time is the present.", x.account))
}
