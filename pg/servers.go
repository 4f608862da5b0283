package pg

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const serversSQL = `
SELECT id, name, version, listens, started_at, now() - seen_at FROM servers WHERE seen_at > now() - @timeout::interval ORDER BY started_at, id`

// Servers is of core.Store.
func (s *Store) Servers(ctx context.Context) (servers []core.ServerInfo, err error) {
	err = s.do(ctx, serversSQL, pgx.StrictNamedArgs{"timeout": peerTimeout}, func(rows pgx.Rows) error {
		var id uuid.UUID
		var server core.ServerInfo
		_, err := pgx.ForEachRow(rows, []any{&id, &server.Name, &server.Version, &server.Listens, &server.StartedAt, &server.SeenAgo}, func() error {
			server.ID, server.Self = id.String(), id == s.id
			servers = append(servers, server)
			return nil
		})
		return err
	})
	return servers, err
}

// scopesSQL leaps from one account and region to the next, however many queues and topics each has.
const scopesSQL = `
WITH RECURSIVE queue_scopes AS (
    (SELECT account, region FROM queues ORDER BY account, region LIMIT 1)
    UNION ALL
    SELECT n.account, n.region FROM queue_scopes s CROSS JOIN LATERAL (
        SELECT account, region FROM queues q WHERE (q.account, q.region) > (s.account, s.region) ORDER BY account, region LIMIT 1
    ) n
), topic_scopes AS (
    (SELECT account, region FROM topics ORDER BY account, region LIMIT 1)
    UNION ALL
    SELECT n.account, n.region FROM topic_scopes s CROSS JOIN LATERAL (
        SELECT account, region FROM topics t WHERE (t.account, t.region) > (s.account, s.region) ORDER BY account, region LIMIT 1
    ) n
)
(SELECT account, region FROM queue_scopes LIMIT @limit) UNION (SELECT account, region FROM topic_scopes LIMIT @limit) ORDER BY account, region LIMIT @limit`

// Scopes is of core.Store.
func (s *Store) Scopes(ctx context.Context) (scopes []core.Scope, err error) {
	err = s.do(ctx, scopesSQL, pgx.StrictNamedArgs{"limit": core.MaxScopes}, func(rows pgx.Rows) (err error) {
		scopes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[core.Scope])
		return err
	})
	return scopes, err
}
