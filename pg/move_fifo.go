package pg

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// moveHeadSQL gives the next messages of a FIFO queue, in the order of sending, and says which of them
// were not visible when the task began, and which stand behind one that the walk has passed by.
const moveHeadSQL = `
SELECT m.group_key, m.sequence, m.handle_version, m.size, COALESCE(m.source, '') AS source, COALESCE(m.deduplication_id, '') AS deduplication_id,
    m.visible_at > @until OR EXISTS (
        SELECT FROM fifo_messages e WHERE e.storage_id = m.storage_id AND e.group_key = m.group_key AND e.sequence <= @after
            AND e.visible_at > @until AND e.sent_at > @oldest
    ) AS behind
FROM fifo_messages m
WHERE m.storage_id = @storage AND m.sequence > @after AND m.size >= 0 AND m.sent_at > @oldest
ORDER BY m.sequence LIMIT @limit`

// fifoHead is a row of it.
type fifoHead struct {
	Group           int64 `db:"group_key"`
	Sequence        int64
	Version         int32 `db:"handle_version"`
	Size            int
	Source          string
	DeduplicationID string `db:"deduplication_id"`
	Behind          bool
}

func (m *move) head(ctx context.Context, tx pgx.Tx) ([]fifoHead, error) {
	rows, _ := tx.Query(ctx, moveHeadSQL, pgx.StrictNamedArgs{ // CollectRows returns its error
		"storage": m.source.Storage, "until": m.startedAt, "oldest": m.now.Add(-m.source.Retention), "after": m.atSequence, "limit": m.limit(),
	})
	return pgx.CollectRows(rows, pgx.RowToStructByName[fifoHead])
}

const lockGroupsToMoveSQL = `
SELECT count(*) FROM unnest(@storage::bigint[], @group::bigint[]) AS i(storage_id, group_key)
CROSS JOIN LATERAL (
    SELECT 1 FROM groups g WHERE g.storage_id = i.storage_id AND g.group_key = i.group_key LIMIT 1 FOR UPDATE
) g`

// batchFIFO moves some messages of a FIFO queue, each group's in order and none past one that is hidden. It gives
// how many it met. What it finds it looks at once more when it holds the locks of all the groups, theirs
// and the destinations', so that no receive comes in between.
func (m *move) batchFIFO(ctx context.Context, tx pgx.Tx, s *Store, first int64) (met int64, err error) {
	seen, err := m.head(ctx, tx)
	if err != nil || len(seen) == 0 {
		return 0, err
	}
	targets, err := m.targets(ctx, tx, seen)
	if err != nil {
		return 0, err
	}
	locked, err := m.lockGroups(ctx, tx, seen, targets)
	if err != nil {
		return 0, err
	}
	again, err := m.head(ctx, tx)
	if err != nil {
		return 0, err
	}
	moves := m.choose(again, locked, targets, first)
	if len(moves) == 0 {
		return int64(len(seen)), nil
	}
	batch := &pgx.Batch{}
	m.groups = s.queueFIFOMoves(batch, m.source, m.source.Name.String(), moves)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return 0, err
	}
	for _, f := range moves {
		if f.moved {
			m.moved++
			m.atPriority = 1
			if s.logged(m.source) || s.logged(f.target) {
				m.logged = append(m.logged, loggedMove{was: f.was, is: f.id, queue: f.target.ID})
			}
		}
	}
	return int64(len(seen)), nil
}

// targets finds the queues that the messages are to go to; nil for one that is missing.
func (m *move) targets(ctx context.Context, tx pgx.Tx, messages []fifoHead) (map[string]*core.Queue, error) {
	targets := map[string]*core.Queue{}
	for _, f := range messages {
		name := cmp.Or(m.destination, f.Source)
		if _, known := targets[name]; known {
			continue
		}
		targets[name] = nil
		parts := strings.Split(name, "/")
		if len(parts) != 3 {
			continue
		}
		queue, err := txQueue(ctx, tx, queueSQL, nameArgs(core.QueueName{Account: parts[0], Region: parts[1], Name: parts[2]}))
		switch {
		case err == nil && queue.FIFO:
			targets[name] = &queue
		case err != nil && !errors.Is(err, pgx.ErrNoRows):
			return nil, err
		}
	}
	return targets, nil
}

// lockGroups locks the messages' groups, here and where they go, in the order in which everyone does.
func (m *move) lockGroups(ctx context.Context, tx pgx.Tx, messages []fifoHead, targets map[string]*core.Queue) (map[int64]bool, error) {
	locked := map[int64]bool{}
	var keys []groupKey
	for _, f := range messages {
		locked[f.Group] = true
		keys = append(keys, groupKey{m.source.Storage, f.Group})
		if target := targets[cmp.Or(m.destination, f.Source)]; target != nil {
			keys = append(keys, groupKey{target.Storage, f.Group})
		}
	}
	slices.SortFunc(keys, func(a, b groupKey) int { return cmp.Or(cmp.Compare(a.storage, b.storage), cmp.Compare(a.key, b.key)) })
	keys = slices.Compact(keys)
	storages, groups := make([]int64, len(keys)), make([]int64, len(keys))
	for i, key := range keys {
		storages[i], groups[i] = key.storage, key.key
	}
	_, err := tx.Exec(ctx, lockGroupsToMoveSQL, pgx.StrictNamedArgs{"storage": storages, "group": groups})
	return locked, err
}

// choose says what of the messages to move, and how far the walk is then. A message that has nowhere to go
// ends the task.
func (m *move) choose(messages []fifoHead, locked map[int64]bool, targets map[string]*core.Queue, first int64) (moves []*fifoMove) {
	behind := map[int64]bool{}
	bytes := 0
	for _, f := range messages {
		if !locked[f.Group] || bytes > moveBytes { // the next step's
			break
		}
		if behind[f.Group] = behind[f.Group] || f.Behind; !behind[f.Group] {
			name := cmp.Or(m.destination, f.Source)
			target, known := targets[name]
			switch {
			case !known:
				return moves
			case name == "":
				m.fail(core.MoveSourceUnknown)
				return moves
			case target == nil:
				m.fail(core.MoveDestinationGone)
				return moves
			}
			moves = append(moves, &fifoMove{
				group: f.Group, sequence: f.Sequence, version: f.Version, id: first + int64(len(moves)),
				target: target, deduplicationID: f.DeduplicationID,
			})
			bytes += f.Size
		}
		m.atSequence = f.Sequence
	}
	return moves
}
