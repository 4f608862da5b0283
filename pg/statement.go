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
