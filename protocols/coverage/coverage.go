// Package coverage holds what every protocol tells about itself, for the README's coverage tables.
package coverage

// Action is one action of a protocol's manual.
type Action struct {
	Name string // as the manual spells it
	Done bool   // false: answered with an error that says so
}
