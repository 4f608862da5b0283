package pg

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const deadLetterSourcesSQL = `SELECT ` + queueColumns + ` FROM queues q
WHERE account = @account AND region = @region AND dead_letter_target = @name AND dead_letter_target <> '' AND name > @after
ORDER BY name LIMIT @limit`

// DeadLetterSources is of core.Store.
func (s *Store) DeadLetterSources(ctx context.Context, name core.QueueName, after string, limit int) (core.QueuePage, error) {
	args := nameArgs(name)
	args["after"], args["limit"] = after, limit+1
	var page core.QueuePage
	err := s.do(ctx, deadLetterSourcesSQL, args, func(rows pgx.Rows) (err error) {
		page.Queues, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.Queue, error) { return scanQueue(row) })
		return err
	})
	if len(page.Queues) > limit {
		page.Queues = page.Queues[:limit]
		page.Next = page.Queues[limit-1].Name.Name
	}
	return page, err
}
