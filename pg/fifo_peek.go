package pg

import (
	"context"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// peekFIFOSQL shows the messages of a FIFO queue in the order of sending. What is visible behind a message
// of its group that is hidden is shown as well: it counts as visible, too.
const peekFIFOSQL = `
WITH asked AS (
    SELECT q.storage_id, q.retention, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM queues q
    WHERE q.id = @queue AND q.version = @version
)
SELECT now AS visible_at, 0::bigint AS group_key, 0::bigint AS sequence, 0::bigint AS id, now AS sent_at, NULL::timestamptz AS first_received_at,
    0 AS receive_count, 0 AS handle_version, 0 AS size, 0::smallint AS priority, 0::smallint AS form, NULL::text AS group_id,
    NULL::text AS deduplication_id, NULL::text AS sender, NULL::text AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM asked
UNION ALL
SELECT d.* FROM asked a CROSS JOIN LATERAL (
    SELECT ` + fifoColumns + ` FROM fifo_messages m
    WHERE m.storage_id = a.storage_id AND m.size >= 0 AND m.sequence > @after::bigint AND m.sent_at > a.now - a.retention
        AND (@hidden OR m.visible_at <= a.now)
    ORDER BY m.sequence LIMIT @limit
) d`

// peekFIFO pages by sequence number.
func (s *Store) peekFIFO(ctx context.Context, queue *core.Queue, in core.PeekInput) (core.PeekPage, error) {
	var after int64
	if in.After != "" {
		if err := readCursor(in.After, &after); err != nil {
			return core.PeekPage{}, err
		}
	}
	var page core.PeekPage
	var sequences []int64
	found := false
	err := s.do(ctx, peekFIFOSQL, pgx.StrictNamedArgs{
		"queue": queue.ID, "version": queue.Version, "hidden": in.Hidden, "after": after, "limit": int64(in.Limit) + 1,
	}, func(rows pgx.Rows) error {
		var row fifoRow
		_, err := pgx.ForEachRow(rows, row.fields(), func() error {
			if row.id == 0 && row.groupID == nil {
				found = true
				return nil
			}
			m, err := s.fifoMessage(queue, &row)
			m.Handle = ""
			page.Messages, sequences = append(page.Messages, m), append(sequences, row.sequence)
			return err
		})
		return err
	})
	if err == nil && !found {
		s.queues.forget(queue)
		err = core.ErrQueueChanged
	}
	if len(page.Messages) > in.Limit {
		page.Messages = page.Messages[:in.Limit]
		page.Next = strconv.FormatInt(sequences[in.Limit-1], 10)
	}
	return page, err
}
