package console

import (
	"time"

	"github.com/polymq/polymq/core"
)

// faultsPage is the data of faults.html.
type faultsPage struct {
	Faults     []core.Fault
	Effects    []core.FaultEffect
	Operations []core.FaultOperation
	Codes      []core.Code
}

// listFaults shows the rules by which calls of the account go wrong.
func (s *Server) listFaults(x *exchange) error {
	if err := s.inTestMode(x); err != nil {
		return err
	}
	found, err := s.broker.Faults(x.ctx(), x.account)
	if err != nil {
		return err
	}
	data := faultsPage{Faults: found, Effects: core.FaultEffects, Operations: core.FaultOperations, Codes: core.Codes}
	if x.partial() {
		return s.part(x, "faults.html", "rows", data)
	}
	return s.show(x, "faults.html", &page{Title: "Faults", Active: "faults", Data: data, Snippets: faultsSnippets(x)})
}

// createFault makes a rule, in the place of one of the same name.
func (s *Server) createFault(x *exchange) error {
	if err := s.inTestMode(x); err != nil {
		return err
	}
	rule, err := x.fault()
	if err != nil {
		return err
	}
	if rule, err = s.broker.CreateFault(x.ctx(), rule); err != nil {
		return err
	}
	return x.done("/faults", x.t("The rule %s holds.", rule.Name))
}

// fault reads a rule from a form.
func (x *exchange) fault() (core.Fault, error) {
	f := x.form()
	rule := core.Fault{
		Account: x.account, Name: x.field("name"), Effect: core.FaultEffect(x.field("effect")), Pattern: x.field("pattern"), Protocol: x.field("protocol"),
		Most: int64(f.number("most", maxHits, 0)),
	}
	for _, operation := range x.r.PostForm["operation"] {
		rule.Operations = append(rule.Operations, core.FaultOperation(operation))
	}
	rule.Probability = f.decimal("percent", 100, 100) / 100
	if length := f.duration("length", time.Second, core.MaxFaultLength); length != nil {
		rule.Length = *length
	}
	shortest, longest := f.duration("min", time.Second, core.MaxFaultDelay), f.duration("max", time.Second, core.MaxFaultDelay)
	switch rule.Effect {
	case core.FaultError:
		rule.Code, rule.After = core.Code(x.field("code")), f.on("after")
	case core.FaultLatency:
		if shortest != nil {
			rule.Min, rule.Max = *shortest, *shortest
		}
		fallthrough
	case core.FaultReorder:
		if longest != nil {
			rule.Max = *longest
		}
	}
	return rule, f.err
}

// maxHits bounds what a form may say of how many calls are hit.
const maxHits = 1_000_000_000

// deleteFault ends a rule.
func (s *Server) deleteFault(x *exchange) error {
	if err := s.inTestMode(x); err != nil {
		return err
	}
	if err := s.broker.DeleteFault(x.ctx(), x.account, x.field("name")); err != nil {
		return err
	}
	return x.done("/faults", x.t("The rule %s does not hold any more.", x.field("name")))
}
