package pg

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
)

// statement is SQL of the hot path whose named arguments were given their positions once.
type statement struct {
	sql  string
	args []string // names, by position
}

var argumentName = regexp.MustCompile(`@[a-z_]+`)

// prepare finds the positions of a statement's named arguments.
func prepare(sql string) statement {
	names := pgx.StrictNamedArgs{}
	for _, name := range argumentName.FindAllString(sql, -1) {
		names[name[1:]] = name[1:]
	}
	positional, args, err := names.RewriteQuery(context.Background(), nil, sql, nil)
	if err != nil {
		panic(fmt.Sprintf("rewrite %q: %v", sql, err)) // of a constant of this package
	}
	st := statement{sql: positional, args: make([]string, len(args))}
	for i, name := range args {
		st.args[i] = name.(string)
	}
	return st
}

// queue puts the statement into a batch. Every argument must be given.
func (st statement) queue(batch *pgx.Batch, named pgx.StrictNamedArgs) *pgx.QueuedQuery {
	args := make([]any, len(st.args))
	for i, name := range st.args {
		value, ok := named[name]
		if !ok {
			panic(fmt.Sprintf("argument @%s is missing", name))
		}
		args[i] = value
	}
	return batch.Queue(st.sql, args...)
}

// viewList lists the queues of a train's operations, each once, so that a statement need look at them
// only once: by id, and by what tells whether they are still as the operation saw them.
type viewList struct {
	ids, versions []int64
	places        map[[2]int64]int32 // made when there is more than one
}

// place gives the place of a view of a queue in the list, counted from one as in SQL.
func (l *viewList) place(id, version int64) int32 {
	last := len(l.ids)
	if last > 0 && l.ids[last-1] == id && l.versions[last-1] == version {
		return int32(last)
	}
	if last == 1 {
		l.places = map[[2]int64]int32{{l.ids[0], l.versions[0]}: 1}
	}
	if place, known := l.places[[2]int64{id, version}]; known {
		return place
	}
	l.ids, l.versions = append(l.ids, id), append(l.versions, version)
	if l.places != nil {
		l.places[[2]int64{id, version}] = int32(last + 1)
	}
	return int32(last + 1)
}
