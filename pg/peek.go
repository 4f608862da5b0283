package pg

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const peekSQL = `
WITH asked AS (
    SELECT q.storage_id, q.retention, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM queues q
    WHERE q.id = @queue AND q.version = @version
)
SELECT NULL AS id, now AS visible_at, now AS sent_at, NULL AS first_received_at, 0 AS receive_count, 0 AS size, 0::smallint AS priority,
    0::smallint AS form, NULL AS sender, NULL AS group_id, NULL AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM asked
UNION ALL
SELECT d.* FROM asked a CROSS JOIN LATERAL (
    SELECT m.* FROM unnest(@priority::smallint[]) AS p(priority)
    CROSS JOIN LATERAL (
        SELECT m.id, m.visible_at, m.sent_at, m.first_received_at, m.receive_count, m.size, m.priority, m.form, m.sender, m.group_id,
            m.source, m.attributes, m.body
        FROM messages m
        WHERE m.storage_id = a.storage_id AND m.priority = p.priority AND m.sent_at > a.now - a.retention
            AND m.visible_at <= CASE WHEN @hidden THEN 'infinity' ELSE a.now END
            AND m.visible_at >= CASE WHEN p.priority = @after_priority THEN @after_visible ELSE @mark::timestamptz END
            AND (p.priority <> @after_priority OR (m.visible_at, m.id) > (@after_visible, @after_id))
        ORDER BY m.visible_at, m.id LIMIT @limit
    ) m
    LIMIT @limit
) d`

// peekCursor is where a page ended.
type peekCursor struct {
	priority int64
	visible  int64 // microseconds since 1970
	id       int64
}

// PeekMessages is of core.Store.
func (s *Store) PeekMessages(ctx context.Context, queue *core.Queue, in core.PeekInput) (core.PeekPage, error) {
	if queue.FIFO {
		return s.peekFIFO(ctx, queue, in)
	}
	var after peekCursor
	if in.After != "" {
		if err := readCursor(in.After, &after.priority, &after.visible, &after.id); err != nil {
			return core.PeekPage{}, err
		}
		if after.priority > core.MaxPriority {
			return core.PeekPage{}, noCursor(in.After)
		}
	}
	var priorities []int16
	for _, p := range prioritiesOf(queue) {
		if int64(p) >= after.priority {
			priorities = append(priorities, p)
		}
	}
	s.hearOthers(ctx, queue.Storage)
	var page core.PeekPage
	var ids []int64
	found := false
	err := s.do(ctx, peekSQL, pgx.StrictNamedArgs{
		"queue": queue.ID, "version": queue.Version, "priority": priorities, "hidden": in.Hidden, "limit": int64(in.Limit) + 1,
		"mark":           s.marks.lowest(queue.Storage, queue.Retention, priorities, s.peers.margin()),
		"after_priority": after.priority, "after_visible": time.UnixMicro(after.visible), "after_id": after.id,
	}, func(rows pgx.Rows) error {
		var id *int64
		var m core.Message
		var first *time.Time
		var sender, group, source *string
		var attributes []byte
		_, err := pgx.ForEachRow(rows, []any{&id, &m.VisibleAt, &m.SentAt, &first, &m.ReceiveCount, &m.Size, &m.Priority, &m.Form,
			&sender, &group, &source, &attributes, &m.Body}, func() error {
			if id == nil {
				found = true
				return nil
			}
			peeked := m
			m.Body = nil
			peeked.ID, peeked.Sender, peeked.GroupID, peeked.Source = s.keys.messageID(*id), text(sender), text(group), text(source)
			if peeked.Sender == "" {
				peeked.Sender = queue.Name.Account
			}
			if first != nil {
				peeked.FirstReceivedAt = *first
			}
			page.Messages, ids = append(page.Messages, peeked), append(ids, *id)
			return decodeAttributes(attributes, &page.Messages[len(page.Messages)-1])
		})
		return err
	})
	if err == nil && !found {
		s.queues.forget(queue)
		err = core.ErrQueueChanged
	}
	if len(page.Messages) > in.Limit {
		page.Messages = page.Messages[:in.Limit]
		last := page.Messages[in.Limit-1]
		page.Next = fmt.Sprintf("%d-%d-%d", last.Priority, last.VisibleAt.UnixMicro(), ids[in.Limit-1])
	}
	return page, err
}
