package pg

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
)

const moveColumns = `t.id::text, t.destination, t.rate, t.status, t.failure, t.moved, t.to_move, t.started_at, t.ended_at`

// scanMove reads moveColumns, of a task of the source.
func scanMove(source core.QueueName) pgx.RowToFunc[core.MoveTask] {
	return func(row pgx.CollectableRow) (core.MoveTask, error) {
		task := core.MoveTask{Source: source}
		var ended *time.Time
		err := row.Scan(&task.ID, &task.Destination, &task.Rate, &task.Status, &task.Failure, &task.Moved, &task.ToMove, &task.StartedAt, &ended)
		if ended != nil {
			task.EndedAt = *ended
		}
		return task, err
	}
}

// startMoveSQL begins a task, unless the account has too many. Who starts two at the same moment may
// get one more than that.
const startMoveSQL = `
INSERT INTO move_tasks AS t (id, account, source_id, destination, rate, status, to_move, started_at, next_at)
SELECT @id::uuid, @account, @source, @destination, @rate, 'RUNNING', @to_move, c.now, c.now
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) c
WHERE (SELECT count(*) FROM move_tasks a WHERE a.account = @account AND a.status IN ('RUNNING', 'CANCELLING')) < @most
RETURNING ` + moveColumns

// StartMove is of core.Store.
func (s *Store) StartMove(ctx context.Context, source *core.Queue, in core.StartMove) (core.MoveTask, error) {
	task, err := s.oneMove(ctx, startMoveSQL, source.Name, pgx.StrictNamedArgs{
		"id": uuid.NewString(), "account": source.Name.Account, "source": source.ID, "destination": in.Destination, "rate": in.Rate,
		"to_move": source.Counts.Visible, "most": core.MaxActiveMoves,
	})
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && server.ConstraintName == "move_tasks_active":
		return task, core.Errorf(core.MoveActive, "a move task of queue %q is active already", source.Name.Name)
	case errors.Is(err, pgx.ErrNoRows):
		return task, core.Errorf(core.TooManyMoves, "the account has %d active move tasks, which is the limit", core.MaxActiveMoves)
	case err == nil:
		s.moveSoon()
	}
	return task, err
}

const listMovesSQL = `SELECT ` + moveColumns + ` FROM move_tasks t WHERE source_id = @source ORDER BY started_at DESC, id LIMIT @limit`

// ListMoves is of core.Store.
func (s *Store) ListMoves(ctx context.Context, source *core.Queue, limit int) (tasks []core.MoveTask, err error) {
	err = s.do(ctx, listMovesSQL, pgx.StrictNamedArgs{"source": source.ID, "limit": limit}, func(rows pgx.Rows) (err error) {
		tasks, err = pgx.CollectRows(rows, scanMove(source.Name))
		return err
	})
	return tasks, err
}

const cancelMoveSQL = `
UPDATE move_tasks t SET status = 'CANCELLING', next_at = started_at WHERE id = @id::uuid AND source_id = @source AND status = 'RUNNING'
RETURNING ` + moveColumns

const moveSQL = `SELECT ` + moveColumns + ` FROM move_tasks t WHERE id = @id::uuid AND source_id = @source`

// CancelMove is of core.Store.
func (s *Store) CancelMove(ctx context.Context, source *core.Queue, id string) (core.MoveTask, error) {
	if _, err := uuid.Parse(id); err != nil {
		return core.MoveTask{}, errMoveNotFound
	}
	args := pgx.StrictNamedArgs{"id": id, "source": source.ID}
	task, err := s.oneMove(ctx, cancelMoveSQL, source.Name, args)
	if err == nil {
		s.moveSoon()
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return task, err
	}
	switch task, err = s.oneMove(ctx, moveSQL, source.Name, args); {
	case errors.Is(err, pgx.ErrNoRows):
		return task, errMoveNotFound
	case err != nil:
		return task, err
	}
	return task, core.Errorf(core.MoveEnded, "the move task is not running, it is %s", task.Status)
}

var errMoveNotFound = core.Errorf(core.MoveNotFound, "the queue has no move task of that id")

// oneMove runs a statement that returns one task. pgx.ErrNoRows.
func (s *Store) oneMove(ctx context.Context, sql string, source core.QueueName, args pgx.StrictNamedArgs) (task core.MoveTask, err error) {
	err = s.do(ctx, sql, args, func(rows pgx.Rows) error {
		task, err = pgx.CollectExactlyOneRow(rows, scanMove(source))
		return err
	})
	return task, err
}

// removeMovesSQL keeps of each source that still exists its active task and the newest others.
const removeMovesSQL = `
DELETE FROM move_tasks WHERE id = ANY (ARRAY(
    SELECT t.id FROM (
        SELECT id, source_id, row_number() OVER (PARTITION BY source_id ORDER BY started_at DESC, id) AS place
        FROM move_tasks WHERE status NOT IN ('RUNNING', 'CANCELLING')
    ) t
    WHERE t.place > @keep OR NOT EXISTS (SELECT FROM queues q WHERE q.id = t.source_id)
    LIMIT @limit))`

// RemoveMoves removes up to limit ended tasks that nobody will see any more, and gives how many.
func (s *Store) RemoveMoves(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, removeMovesSQL, pgx.StrictNamedArgs{"keep": core.MaxMovesListed, "limit": limit})
}
