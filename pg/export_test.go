package pg

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/polymq/polymq/core"
)

// URL gives tests the way to a store's database.
func (s *Store) URL() string {
	if s.opts.DirectURL != "" {
		return s.opts.DirectURL
	}
	return s.opts.URL
}

// SignOff makes a store tell the others that it goes, as Close does first.
func SignOff(ctx context.Context, s *Store) error { return s.unregister(ctx) }

// IsPooled reports whether a store works through a pooler.
func IsPooled(s *Store) bool { return s.opts.Pooled }

// ForgetFolded makes the next fold begin to go through all there is.
func ForgetFolded(s *Store) { s.unfolded.set(time.Time{}) }

// FoldedAll says that a store has just gone through all counters.
func FoldedAll(s *Store) { s.unfolded.set(time.Now()) }

func (u *unfolded) set(began time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.began, u.reached = began, ""
}

// FoldAllCounts folds until there is nothing to fold, whoever wrote it.
func FoldAllCounts(s *Store) (n int, err error) {
	ForgetFolded(s)
	const batch = 1000
	for folded := batch; folded == batch && err == nil; n += folded {
		folded, err = s.FoldCounts(context.Background(), batch)
	}
	return n, err
}

// LookAtAudit sets how many events of the audit log are looked at together.
func LookAtAudit(s *Store, events int) { s.auditWindow = events }

// SessionSettings are those of the hot pool's sessions.
func SessionSettings() map[string]string { return Options{}.sessionSettings() }

// Show gives a setting as the store's sessions have it, one of the pool and the one that listens.
func Show(ctx context.Context, s *Store, name string) (pool, listens string, err error) {
	const sql = `SELECT current_setting($1)`
	if err := s.pool.QueryRow(ctx, sql, name).Scan(&pool); err != nil {
		return "", "", err
	}
	conn, err := s.opts.directConn(ctx)
	if err != nil {
		return "", "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	return pool, listens, conn.QueryRow(ctx, sql, name).Scan(&listens)
}

// Positional gives a statement with $1, $2, … in place of its named arguments, and their names.
func Positional(sql string) (positional string, names []string) {
	st := prepare(sql)
	return st.sql, st.args
}

// The statements whose plans matter.
const (
	SendSQL              = sendSQL
	FrontSQL             = frontSQL
	ListenSQL            = listenSQL
	ReceiveSQL           = receiveSQL
	MoveTime             = moveTime
	MaxNextMoves         = maxNextMoves
	DeleteSQL            = deleteSQL
	DeleteNewestSQL      = deleteNewestSQL
	ChangeSQL            = changeSQL
	DescribeQueueSQL     = describeQueueSQL
	ListCountedSQL       = listCountedQueuesSQL
	CountListedSQL       = countListedQueuesSQL
	ListCountedTopicsSQL = listCountedTopicsSQL
	ListTopicsSQL        = listTopicsSQL
	UpcomingSQL          = upcomingSQL
	SweepSQL             = sweepSQL
	ExpireSQL            = expireSQL
	RemoveDroppedSQL     = removeDroppedSQL
	FoldStoragesSQL      = foldStoragesSQL
	FoldPlacesSQL        = foldPlacesSQL
	UnfoldedSQL          = unfoldedSQL
	AccessKeySQL         = accessKeySQL
	ExpireKeysSQL        = expireKeysSQL
	UseNonceSQL          = useNonceSQL
	PeekSQL              = peekSQL
	SearchSQL            = searchSQL
	FindMessageSQL       = findMessageSQL
	ScopesSQL            = scopesSQL
	AccountsToResetSQL   = accountsToResetSQL
	ResetAccountSQL      = resetAccountSQL
	StoredBytesSQL       = storedBytesSQL
	AccountUseSQL        = accountUseSQL
	NoteUsesSQL          = noteUsesSQL
	GrantedIdentitiesSQL = grantedIdentitiesSQL
	GrantedPoliciesSQL   = grantedPoliciesSQL
	QueueDepthsSQL       = queueDepthsSQL
	UnusedQueuesSQL      = unusedQueuesSQL
	DeleteUnusedSQL      = deleteUnusedSQL

	EventsOfQueueSQL        = eventsOfQueueSQL
	EventsOfTopicSQL        = eventsOfTopicSQL
	EventsInQueueSQL        = eventsInQueueSQL
	LifeSQL                 = lifeSQL
	AuditOfAllSQL           = auditOfAllSQL
	AuditWindowOfAllSQL     = auditWindowOfAllSQL
	AuditWindowOfAccountSQL = auditWindowOfAccountSQL
	AuditOfAccountSQL       = auditOfAccountSQL
	QueueSQL                = queueSQL

	TakeReplaySQL       = takeReplaySQL
	ArchivedSQL         = archivedSQL
	DeduplicateTopicSQL = deduplicateSQL
	BeginReplaySQL      = beginReplaySQL
	ExpireArchivedSQL   = expireArchivedSQL

	PublishSQL           = publishSQL
	PublishAllSQL        = publishAllSQL
	ClaimDeliveriesSQL   = claimDeliveriesSQL
	ClaimDeliverySQL     = claimDeliverySQL
	ClaimExpiredSQL      = claimExpiredSQL
	SettleSQL            = settleSQL
	RemoveEndedSQL       = removeEndedSQL
	RemovePublishedSQL   = removePublishedSQL
	DueLanesSQL          = dueLanesSQL
	TakeFanOutSQL        = takeFanOutSQL
	PublishedSQL         = publishedSQL
	SubscriptionSQL      = subscriptionSQL
	SubscriptionTokenSQL = subscriptionOfTokenSQL
	TopicsRoutesSQL      = topicsRoutesSQL
	OfTopicSQL           = listTopicSubscriptionsSQL
	OfOwnerSQL           = listOwnSubscriptionsSQL
	ListAttemptsSQL      = listAttemptsSQL
	ForgetAttemptsSQL    = forgetAttemptsSQL
	ForgetKeptSQL        = forgetKeptSQL
	ListDeliveriesSQL    = listDeliveriesSQL

	LockGroupsSQL        = lockGroupsSQL
	RememberSentSQL      = rememberSentSQL
	SendFIFOSQL          = sendFIFOSQL
	DeleteFIFOSQL        = deleteFIFOSQL
	ChangeFIFOSQL        = changeFIFOSQL
	RefreshGroupsSQL     = refreshGroupsSQL
	ReceiveFIFOSQL       = receiveFIFOSQL
	MoveFIFOSQL          = moveFIFOSQL
	PeekFIFOSQL          = peekFIFOSQL
	UpcomingGroupsSQL    = upcomingGroupsSQL
	SweepGroupsSQL       = sweepGroupsSQL
	ExpiredGroupsSQL     = expiredGroupsSQL
	ExpireFIFOSQL        = expireFIFOSQL
	RemoveDroppedFIFOSQL = removeDroppedFIFOSQL
	RemoveIDsSQL         = removeIDsSQL
	AttemptSQL           = attemptSQL
	RepeatSQL            = repeatSQL
	DelayPageSQL         = delayPageSQL
	DelayFIFOSQL         = delayFIFOSQL
	IdleDelaysSQL        = idleDelaysSQL

	MoveDeadSQL          = moveDeadSQL
	MoveBatchSQL         = moveBatchSQL
	DeadLetterSourcesSQL = deadLetterSourcesSQL
)

// Waiting gives how many callers wait for a train of small operations.
func Waiting(s *Store) int {
	n := 0
	for _, st := range []*station{s.hot, s.fifo} {
		st.mu.Lock()
		n += st.ready
		st.mu.Unlock()
	}
	return n
}

// HoldTrains keeps small operations waiting as if all trains were under way, until release is called.
func HoldTrains(s *Store) (release func()) {
	standard, fifo := holdStation(s, s.hot), holdStation(s, s.fifo)
	return func() {
		standard()
		fifo()
	}
}

func holdStation(s *Store, st *station) (release func()) {
	for {
		st.mu.Lock()
		if st.underway == 0 {
			break
		}
		st.mu.Unlock()
		runtime.Gosched()
	}
	defer st.mu.Unlock()
	st.underway = st.max
	return func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		st.underway = 1
		s.running.Go(st.drive)
	}
}

// Bounds of trains.
const (
	CallTimeout     = callTimeout
	MaxTrainRows    = maxTrainRows
	DelayPageRows   = delayPageRows
	MaxReceiveBytes = maxReceiveBytes
	MarkMargin      = markMargin
)

// FoldFrom is after how many trains a server folds what they wrote.
const FoldFrom = foldFrom

// Listening gives how many other servers this one knows to hear its notifications.
func Listening(s *Store) int { return int(s.peers.listening.Load()) }

// NotifyPayload is what a server that is not known tells of one visible message.
func NotifyPayload(queue, storage int64, at time.Time) string {
	return fmt.Sprintf(";a,%d,%d,1,0,%d", queue, storage, at.UnixMicro())
}

// SweepSoon has the next sweep not wait for its share of the time.
func SweepSoon(s *Store) { s.marks.swept(time.Time{}) }

// SweepNever has no sweep happen.
func SweepNever(s *Store) { s.marks.swept(time.Now().Add(time.Hour)) }

// MovedLongAgo has all marks have moved so long ago that the next sweep behind them is the last.
func MovedLongAgo(s *Store) {
	s.marks.mu.Lock()
	defer s.marks.mu.Unlock()
	for _, sm := range s.marks.byStorage {
		sm.moved = sm.moved.Add(-2 * lateCommit)
	}
}

// MarkOf gives where receives of the usual priority begin to look; zero: at the start.
func MarkOf(s *Store, storage int64) time.Time {
	return s.marks.lowest(storage, 0, []int16{core.DefaultPriority}, 0)
}

// MaxSchemaLength bounds the name of a schema.
const MaxSchemaLength = maxSchemaLength

// WaitingPublishes says how many publishes stand in the lines of FIFO topics.
func WaitingPublishes(s *Store) (n int) {
	s.publishing.mu.Lock()
	defer s.publishing.mu.Unlock()
	for _, line := range s.publishing.byTopic {
		n += len(line)
	}
	return n
}

// AwaitsEcho says whether somebody waits until a store has heard all that was told before.
func AwaitsEcho(s *Store) bool {
	s.hearing.mu.Lock()
	defer s.hearing.mu.Unlock()
	return s.hearing.next != nil || s.hearing.current != nil
}

// AwaitsTelling says whether somebody waits until a store has told others what it did.
func AwaitsTelling(s *Store) bool {
	s.peers.mu.Lock()
	defer s.peers.mu.Unlock()
	return s.peers.told != nil
}

// HoldOutbox keeps what a store has to tell others in its outbox, until release is called.
func HoldOutbox(s *Store) (release func()) {
	for {
		s.peers.mu.Lock()
		if !s.peers.sending {
			break
		}
		s.peers.mu.Unlock()
		runtime.Gosched()
	}
	defer s.peers.mu.Unlock()
	s.peers.sending = true
	return func() { s.running.Go(s.sendOutbox) }
}

// Echoes says how often a store has made sure that it has heard what others told.
func Echoes(s *Store) int64 {
	s.hearing.mu.Lock()
	defer s.hearing.mu.Unlock()
	return s.hearing.number
}

// CheckStations says what is wrong with what the stations know of their callers.
func CheckStations(s *Store) error {
	for _, st := range []*station{s.hot, s.bulk, s.fifo, s.fifoBulk} {
		if err := st.check(); err != nil {
			return err
		}
	}
	return nil
}

func (st *station) check() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	ready, lined := len(st.waiting.deletes)+len(st.waiting.changes)+len(st.waiting.sends)+len(st.waiting.publishes), 0
	for _, ln := range st.lanes {
		if !ln.busy {
			ready += len(ln.callers)
		}
		if len(ln.callers) > 0 {
			lined++
		}
		if !ln.busy && len(ln.callers) == 0 || len(ln.callers) > 0 && !slices.Contains(st.turn, ln) {
			return fmt.Errorf("a lane that is busy %v with %d callers is out of turn", ln.busy, len(ln.callers))
		}
	}
	if ready != st.ready || lined != len(st.turn) || st.underway > st.max || ready > 0 && st.underway == 0 {
		return fmt.Errorf("%d callers could leave and %d are counted, in %d lanes of which %d have their turn; %d of %d trains are under way",
			ready, st.ready, lined, len(st.turn), st.underway, st.max)
	}
	return nil
}

// Idle reports whether nothing waits or is under way in the stations, and all places are free.
func Idle(s *Store) bool {
	for _, st := range []*station{s.hot, s.bulk, s.fifo, s.fifoBulk} {
		st.mu.Lock()
		busy := st.underway + len(st.lanes) + len(st.turn)
		st.mu.Unlock()
		if busy > 0 {
			return false
		}
	}
	return len(s.locking) == 0 && len(s.routing) == 0
}

// ReadCursor reads a cursor of n numbers.
func ReadCursor(after string, n int) ([]int64, error) {
	numbers := make([]int64, n)
	into := make([]*int64, n)
	for i := range numbers {
		into[i] = &numbers[i]
	}
	return numbers, readCursor(after, into...)
}

// Translate makes an error of PostgreSQL the core's.
func Translate(err error) error { return translate(err) }
