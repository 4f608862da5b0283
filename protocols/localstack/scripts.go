package localstack

import (
	"slices"
	"sync"
)

// Stage is a part of a server's life in which scripts run.
type Stage string

// The stages. A directory for each lies in the directory of init scripts: boot.d, start.d, ready.d, shutdown.d.
const (
	Boot     Stage = "BOOT"
	Start    Stage = "START"
	Ready    Stage = "READY"
	Shutdown Stage = "SHUTDOWN"
)

// Stages are all stages, in their order.
var Stages = []Stage{Boot, Start, Ready, Shutdown}

func (s Stage) known() bool { return slices.Contains(Stages, s) }

// State is what became of a script.
type State string

// The states of a script.
const (
	Running    State = "RUNNING"
	Successful State = "SUCCESSFUL"
	Failed     State = "ERROR"
)

// Script is a script and what became of it.
type Script struct {
	Stage Stage  `json:"stage"`
	Name  string `json:"name"`
	State State  `json:"state"`
}

// Scripts is the record of init scripts. The zero value has none.
type Scripts struct {
	mu        sync.Mutex
	scripts   []Script
	completed map[Stage]bool
}

// Set records what became of a script.
func (s *Scripts) Set(script Script) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.scripts {
		if s.scripts[i].Stage == script.Stage && s.scripts[i].Name == script.Name {
			s.scripts[i] = script
			return
		}
	}
	s.scripts = append(s.scripts, script)
}

// Complete records that all scripts of a stage have run.
func (s *Scripts) Complete(stage Stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.completed == nil {
		s.completed = map[Stage]bool{}
	}
	s.completed[stage] = true
}

// Completed reports whether all scripts of a stage have run.
func (s *Scripts) Completed(stage Stage) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.completed[stage]
}

// Of gives the scripts of a stage, of all stages for "".
func (s *Scripts) Of(stage Stage) []Script {
	s.mu.Lock()
	defer s.mu.Unlock()
	scripts := []Script{}
	for _, script := range s.scripts {
		if stage == "" || script.Stage == stage {
			scripts = append(scripts, script)
		}
	}
	return scripts
}
