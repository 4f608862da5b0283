package pg

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// A search goes through a queue in the order of its key, part by part, until the page is full or its time is
// over. A part is one statement: it finds where the part ends and gives the messages in it that contain the text.
// How many messages a part has follows from their mean size and from how long the part before took.
const (
	searchFirstBytes = 4 << 20 // of bodies, in the first part
	searchMostBytes  = 32 << 20
	searchFewest     = 10
	searchFirst      = 5_000
	searchParts      = 4 // a part that took less than one of so many of the page's time is followed by one twice as large
)

// searched are the conditions that a message with the text meets. A body that its sender's SDK has encoded is
// looked through for what the text becomes in base64, which depends on where it begins.
const searchedFor = `m.sent_at > a.oldest AND (position(@text::bytea IN m.body) > 0
    OR position(@quoted::bytea IN m.attributes) > 0
    OR m.form = 2 AND (position(@start_encoded::bytea IN m.body) > 0 OR position(@middle_encoded::bytea IN m.body) > 0 OR position(@end_encoded::bytea IN m.body) > 0))`

const searchedQueue = `
WITH asked AS (
    SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') - q.retention AS oldest
    FROM queues q
    WHERE q.id = @queue AND q.version = @version
), `

const searchSQL = searchedQueue + `part AS (
    SELECT count(*) AS looked, COALESCE(max(m.id), 0) AS last FROM (
        SELECT m.id FROM asked a CROSS JOIN LATERAL (
            SELECT m.id FROM messages m WHERE m.storage_id = a.storage_id AND m.id > @after::bigint ORDER BY m.id LIMIT @rows
        ) m
    ) m
)
SELECT p.looked AS place, p.last AS id, a.oldest AS visible_at, a.oldest AS sent_at, NULL AS first_received_at, 0 AS receive_count, 0 AS size, 0::smallint AS priority,
    0::smallint AS form, NULL AS sender, NULL AS group_id, NULL AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM part p CROSS JOIN asked a
UNION ALL
SELECT d.* FROM asked a CROSS JOIN part p CROSS JOIN LATERAL (
    SELECT m.* FROM (
        SELECT row_number() OVER (ORDER BY m.id) AS place, m.id, m.visible_at, m.sent_at, m.first_received_at, m.receive_count, m.size, m.priority, m.form,
            m.sender, m.group_id, m.source, m.attributes, m.body
        FROM messages m WHERE m.storage_id = a.storage_id AND m.id > @after::bigint AND m.id <= p.last
    ) m
    WHERE ` + searchedFor + `
    ORDER BY m.place LIMIT @limit
) d`

const searchFIFOSQL = searchedQueue + `part AS (
    SELECT count(*) AS looked, COALESCE(max(m.sequence), 0) AS last FROM (
        SELECT m.sequence FROM asked a CROSS JOIN LATERAL (
            SELECT m.sequence FROM fifo_messages m WHERE m.storage_id = a.storage_id AND m.size >= 0 AND m.sequence > @after::bigint ORDER BY m.sequence LIMIT @rows
        ) m
    ) m
)
SELECT p.looked AS place, a.oldest AS visible_at, 0::bigint AS group_key, p.last AS sequence, 0::bigint AS id, a.oldest AS sent_at, NULL::timestamptz AS first_received_at,
    0 AS receive_count, 0 AS handle_version, 0 AS size, 0::smallint AS priority, 0::smallint AS form, NULL::text AS group_id,
    NULL::text AS deduplication_id, NULL::text AS sender, NULL::text AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM part p CROSS JOIN asked a
UNION ALL
SELECT d.* FROM asked a CROSS JOIN part p CROSS JOIN LATERAL (
    SELECT m.place, ` + fifoColumns + ` FROM (
        SELECT row_number() OVER (ORDER BY m.sequence) AS place, m.*
        FROM fifo_messages m WHERE m.storage_id = a.storage_id AND m.size >= 0 AND m.sequence > @after::bigint AND m.sequence <= p.last
    ) m
    WHERE ` + searchedFor + `
    ORDER BY m.place LIMIT @limit
) d`

// foundPart is what a part of a search gave.
type foundPart struct {
	looked   int   // messages in the part
	last     int64 // key of the last of them, 0 for none
	messages []core.Message
	keys     []int64 // of messages
	places   []int   // of messages in the part, from 1
}

// SearchMessages is of core.Store.
func (s *Store) SearchMessages(ctx context.Context, queue *core.Queue, in core.SearchInput) (core.SearchPage, error) {
	var page core.SearchPage
	after := int64(-1 << 63)
	if in.After != "" {
		var err error
		if after, err = strconv.ParseInt(in.After, 10, 64); err != nil {
			return page, core.Errorf(core.InvalidArgument, "%q is not a cursor of this search", in.After)
		}
	}
	described, err := s.DescribeQueue(ctx, queue.Name)
	if err != nil {
		return page, err
	}
	page.Total = described.Counts.Visible + described.Counts.InFlight + described.Counts.Delayed
	rows, most := searchSizes(described.Counts.Bytes, page.Total)
	budget, err := s.searchTime.take(ctx)
	if err != nil {
		return page, err
	}
	began := time.Now()
	defer func() { s.searchTime.giveBack(budget - time.Since(began)) }()
	rows = max(int(int64(rows)*int64(budget)/int64(core.MaxSearchTime)), searchFewest)
	for {
		partBegan := time.Now()
		part, err := s.searchPart(ctx, queue, in.Text, after, min(rows, core.MaxSearched-page.Searched), in.Limit-len(page.Messages))
		if err != nil {
			return page, err
		}
		for i := range part.messages {
			if contains(&part.messages[i], in.Text) {
				page.Messages = append(page.Messages, part.messages[i])
			}
		}
		if full := len(part.messages); full > 0 && len(page.Messages) == in.Limit {
			page.Searched += part.places[full-1]
			page.Next = strconv.FormatInt(part.keys[full-1], 10)
			return page, nil
		}
		if part.looked == 0 {
			return page, nil
		}
		page.Searched, after = page.Searched+part.looked, part.last
		if page.Searched >= core.MaxSearched || time.Since(began) > budget {
			page.Next = strconv.FormatInt(after, 10)
			return page, nil
		}
		if time.Since(partBegan) < budget/searchParts {
			rows = min(2*rows, most)
		} else {
			rows = max(rows/2, searchFewest)
		}
	}
}

// searchSizes gives how many of a queue's messages the first part of a search has, and any part at most.
func searchSizes(bytes, messages int64) (first, most int) {
	mean := bytes/max(1, messages) + 1
	size := func(bytes int64, most int) int { return int(min(max(bytes/mean, searchFewest), int64(most))) }
	return size(searchFirstBytes, searchFirst), size(searchMostBytes, core.MaxSearched)
}

func (s *Store) searchPart(ctx context.Context, queue *core.Queue, text string, after int64, rows, limit int) (foundPart, error) {
	var part foundPart
	quoted, err := json.Marshal(text) // as attributes are stored
	if err != nil {
		return part, fmt.Errorf("encode a text to search for: %w", err)
	}
	args := pgx.StrictNamedArgs{
		"queue": queue.ID, "version": queue.Version, "after": after, "rows": rows, "limit": limit, "text": []byte(text), "quoted": quoted[1 : len(quoted)-1],
		"start_encoded": inBase64(text, 0), "middle_encoded": inBase64(text, 1), "end_encoded": inBase64(text, 2),
	}
	sql, read := searchSQL, s.readFound
	if queue.FIFO {
		sql, read = searchFIFOSQL, s.readFoundFIFO
	}
	exists := false
	err = s.look(ctx, sql, args, func(rows pgx.Rows) (err error) {
		exists, err = read(rows, queue, &part)
		return err
	})
	if err == nil && !exists {
		s.queues.forget(queue)
		err = core.ErrQueueChanged
	}
	return part, err
}

// readFound reads rows of searchSQL: first the part, then what was found in it.
func (s *Store) readFound(rows pgx.Rows, queue *core.Queue, part *foundPart) (exists bool, err error) {
	var place, id int64
	var m core.Message
	var first *time.Time
	var sender, group, source *string
	var attributes []byte
	_, err = pgx.ForEachRow(rows, []any{&place, &id, &m.VisibleAt, &m.SentAt, &first, &m.ReceiveCount, &m.Size, &m.Priority, &m.Form,
		&sender, &group, &source, &attributes, &m.Body}, func() error {
		if !exists {
			part.looked, part.last, exists = int(place), id, true
			return nil
		}
		found := m
		m.Body = nil
		found.ID, found.Sender, found.GroupID, found.Source = s.keys.messageID(id), text(sender), text(group), text(source)
		if found.Sender == "" {
			found.Sender = queue.Name.Account
		}
		if first != nil {
			found.FirstReceivedAt = *first
		}
		part.messages, part.keys, part.places = append(part.messages, found), append(part.keys, id), append(part.places, int(place))
		return decodeAttributes(attributes, &part.messages[len(part.messages)-1])
	})
	return exists, err
}

// readFoundFIFO reads rows of searchFIFOSQL.
func (s *Store) readFoundFIFO(rows pgx.Rows, queue *core.Queue, part *foundPart) (exists bool, err error) {
	var place int64
	var row fifoRow
	_, err = pgx.ForEachRow(rows, append([]any{&place}, row.fields()...), func() error {
		if !exists {
			part.looked, part.last, exists = int(place), row.sequence, true
			return nil
		}
		m, err := s.fifoMessage(queue, &row)
		m.Handle = ""
		part.messages, part.keys, part.places = append(part.messages, m), append(part.keys, row.sequence), append(part.places, int(place))
		return err
	})
	return exists, err
}

// inBase64 gives the digits that stand for the text in whatever is encoded in base64 and has it at an offset that
// leaves this remainder by three: those that no neighbour of the text has a part in.
func inBase64(text string, offset int) []byte {
	padded := append(make([]byte, offset), text...)
	digits := base64.RawStdEncoding.EncodeToString(padded)
	first, last := (8*offset+5)/6, 8*len(padded)/6
	return []byte(digits[first:max(first, last)])
}

// contains says that a message has the text, of which the statement knows less for encoded bodies.
func contains(m *core.Message, text string) bool {
	if bytes.Contains(m.Body, []byte(text)) || bytes.Contains(core.EncodeBody(m.Body, m.Form, core.BodyText, core.ReadsText), []byte(text)) {
		return true
	}
	for _, a := range m.Attributes {
		if bytes.Contains(a.Value, []byte(text)) || bytes.Contains([]byte(a.Name), []byte(text)) {
			return true
		}
	}
	for name, value := range m.System {
		if bytes.Contains([]byte(name+"\x00"+value), []byte(text)) {
			return true
		}
	}
	return false
}

const findMessageSQL = searchedQueue + `found AS (
    SELECT m.* FROM asked a JOIN messages m ON m.storage_id = a.storage_id AND m.id = @id::bigint AND m.sent_at > a.oldest
)
SELECT 0::bigint AS place, 0::bigint AS id, a.oldest AS visible_at, a.oldest AS sent_at, NULL AS first_received_at, 0 AS receive_count, 0 AS size, 0::smallint AS priority,
    0::smallint AS form, NULL AS sender, NULL AS group_id, NULL AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM asked a
UNION ALL
SELECT 1, m.id, m.visible_at, m.sent_at, m.first_received_at, m.receive_count, m.size, m.priority, m.form, m.sender, m.group_id, m.source, m.attributes, m.body
FROM found m`

// Messages of FIFO queues have no index by id: the first ones are looked through.
const findFIFOSQL = searchedQueue + `found AS (
    SELECT m.* FROM asked a CROSS JOIN LATERAL (
        SELECT m.* FROM fifo_messages m WHERE m.storage_id = a.storage_id AND m.size >= 0 ORDER BY m.sequence LIMIT @rows
    ) m
    WHERE m.id = @id::bigint AND m.sent_at > a.oldest
)
SELECT 0::bigint AS place, a.oldest AS visible_at, 0::bigint AS group_key, 0::bigint AS sequence, 0::bigint AS id, a.oldest AS sent_at, NULL::timestamptz AS first_received_at,
    0 AS receive_count, 0 AS handle_version, 0 AS size, 0::smallint AS priority, 0::smallint AS form, NULL::text AS group_id,
    NULL::text AS deduplication_id, NULL::text AS sender, NULL::text AS source, NULL::bytea AS attributes, NULL::bytea AS body
FROM asked a
UNION ALL
SELECT 1, ` + fifoColumns + ` FROM found`

// FindMessage is of core.Store. Of a FIFO queue it knows the first core.MaxSearched messages.
func (s *Store) FindMessage(ctx context.Context, queue *core.Queue, id core.MessageID) (*core.Message, error) {
	row, ok := s.keys.rowID(id)
	if !ok {
		return nil, nil
	}
	sql, read := findMessageSQL, s.readFound
	args := pgx.StrictNamedArgs{"queue": queue.ID, "version": queue.Version, "id": row}
	if queue.FIFO {
		sql, read = findFIFOSQL, s.readFoundFIFO
		args["rows"] = core.MaxSearched
	}
	var part foundPart
	exists := false
	err := s.look(ctx, sql, args, func(rows pgx.Rows) (err error) {
		exists, err = read(rows, queue, &part)
		return err
	})
	if err == nil && !exists {
		s.queues.forget(queue)
		err = core.ErrQueueChanged
	}
	if err != nil || len(part.messages) == 0 {
		return nil, err
	}
	return &part.messages[0], nil
}
