// Package pg is core.Store on PostgreSQL.
//
// All that waits at a moment leaves as one train: deletes, changes of visibility, sends, receives,
// pipelined in one transaction with one commit (train.go). A message is one row until it is deleted:
//
//	visible     visible_at <= now
//	delayed     visible_at >  now, receive_count = 0
//	in flight   visible_at >  now, receive_count > 0
//
// where now is the database's clock plus the account's advance, read in each statement. Receives
// walk the index on (storage_id, priority, visible_at) from a mark below which nothing is visible
// (marks.go). Counters are rows of deltas, written by the statement that changes what they count
// and added up by a worker (counts.go). Servers that share a database tell each other what became
// visible (notify.go).
//
// # Topics
//
// A publish rides in a train with a statement of its own (publish.go), which writes the messages of all subscribed queues
// and, where there is anything to push, the message itself (published) and a row of deliveries for each subscription. A
// delivery is due at due_at; a claim puts that off for as long as it lasts (deliveries.go):
//
//	waiting     due_at >  now, not claimed: tried again then
//	due         due_at <= now
//	claimed     due_at >  now, claimed: an attempt is being made
//	no row      delivered, given up, or dropped with its subscription
//
// A FIFO topic with an archive stores each message there as well (archived). A replay is a row with the place that it has reached in
// the archive, moved by the transaction that puts a chunk into the queue; it ends under the topic's lock, when there is nothing
// behind that place (replays.go).
//
// The last delivery of a message takes the message with it. Larger fan-outs are rows of fan_outs with a cursor; each chunk
// moves it in the transaction that stores the messages (fan_out.go).
//
// # FIFO queues
//
// Their messages are in a table of their own, by group and sequence number, and each group that has messages has a row
// of groups, with the time from which it is due:
//
//	available    due <= now: its first message is visible. due is since when, and receives go by it
//	locked       due >  now: its first message is hidden until then
//	no row       the group has no messages
//
// due is never later than the truth, and what receives find earlier they put right. Whoever changes a group's messages
// holds the lock of its row, taken in the order of the keys by a statement of its own, the first that a train sends
// for FIFO queues: each statement behind it has a snapshot from after the lock and sees what the holder before
// has done. Sequence numbers are taken under these locks. A receive, which learns only from the index which groups it wants,
// reads first and then locks: a group whose row is not the one that it has read is left alone, which is why
// the rows of groups whose visible messages are changed are always written anew.
//
// # Decisions
//
// Measured on a machine of 2 cores with PostgreSQL 15, fsync 0.13 ms, bodies of 200 bytes, which was
// seldom quiet: differences below a fifth are no proof. Where no figure stands, nothing was measured.
//
// 2026-11-21: row ids come in blocks of 4096 that a server takes from a sequence. An insert knows its
// ids beforehand, so that what the statement returns tells which rows it left out, and nothing but
// the public id has to be made from it (ids.go). Rejected: nextval in the insert, after which rows
// can only be told apart by their order, which RETURNING does not promise.
//
// 2026-11-21: a stale view of a queue is found by absence: the hot statements join the queue's row on
// id and version (deletes and changes on id and storage), and what is missing from the answer was
// not done. The Broker then reads the queue again.
//
// 2026-11-21: what is hidden is counted under the second in which it becomes visible, and only the
// present second by the index. Counting the index beyond now, as first designed, is exact too but
// walks 5 million entries where as many messages are in flight; this takes 1.6 ms (p99 3.1 ms, 10 million
// messages, half of them in flight in 3,600 different seconds). Seconds are timestamps and not
// numbers of seconds, which in SQL come out of the slower arithmetic of numeric.
//
// 2026-11-21: receives of one lane ride together only when they ask for the same timeout; the others
// take the next train. A timeout per row is possible, for a longer statement; it was not tried.
//
// 2026-11-21: a receive ends its mark at now when it came back short, not at the last row: polls of an
// empty queue then skip the graveyard as well. This holds because whatever becomes visible lowers
// the mark after its commit, also while the receive that would raise it is under way.
//
// 2026-11-21: no margin before the mark while no other server is registered. With it, a
// receive walks the dead entries of the last 100 ms, which are thousands in a queue that was filled quickly.
//
// 2026-11-21: sweeps look behind the marks in a statement of their own. As part of a receive, a
// sweep would hold up its whole train.
//
// 2026-11-21: no pause before a train. Waiting up to 1 ms for the callers of the train before made
// trains fuller (30 to 38 instead of 21 to 25 requests), but no gain in the rate could be told from the
// noise: with 64 connections latency and not PostgreSQL is the limit. Of 160 us for a request of a cycle, PostgreSQL takes 30, the load
// generator 60 and the server 70; beside a server that answers at once,
// HTTP takes 64 in all, and threads are switched 0.65 times for a request instead of 4 times.
//
// 2026-11-21: before a train is loaded, its driver lets the other goroutines run (Gosched): requests that have arrived get on,
// and callers of the train before write their answers. Where a processor is free that takes nothing, and where none is,
// trains are fuller. Beside other programs (load 30 on 2 cores) a cycle of single requests took 486 us of processor time instead
// of 556, PostgreSQL 109 of them instead of 132, and a message in batches of 10 98 us instead of 104 (medians of six runs
// in turn). Rejected: to yield for as long as that brings further callers (2 % of a cycle, nothing of batches).
//
// 2026-11-21: a second train leaves when 32 callers wait. With 16, no gain could be told from
// the noise.
// Where two processors are shared with PostgreSQL and the load (Linux 6.18), one of them idles for 13 to 18 % of the time of single
// cycles and for 24 % of batches over 32 connections, mostly while threads of the server or of the load wait for the other one
// (switches and wake-ups traced): the kernel leaves them there. Neither a second train from 16, 8 or 4 callers on, nor one processor for
// the server (GOMAXPROCS, 12 % slower), nor commits that do not wait for the disk (24 to 20 %) change that; 128 connections do (12 %).
//
// 2026-11-21: net/http's watch for clients that go away (a goroutine per request) was taken out as an
// experiment: no difference that could be measured, so it stays.
//
// 2026-11-21: a train's sends are parted by queue and delay. All of a part is stored or nothing, so that what
// it adds to the counters is known before, and its times are those of its queue: the statement need neither return the
// rows nor group them. PostgreSQL's processor time fell by 10 % (a message alone) to 14 % (60 in a train) of the send.
//
// 2026-11-21: looking ahead asks first whether a queue has anything to come; for 5,000 waiting queues
// it takes 13 ms instead of 87.
//
// 2026-11-21: statements are shaped so that their plan is the same whether they were planned on empty
// tables or on large ones (plans_test.go): queues are looked up by LATERAL with LIMIT, and the index
// due is partial by a condition that always holds, so that it is never taken for a search by id.
// A statement that means such an index does not repeat the condition (head IS NOT NULL) but says what
// it follows from (head >= 0): PostgreSQL 17 and later drop IS NOT NULL from a search where the column
// is declared so, and then no longer see that the index may be used.
//
// The same holds for what statements change: DELETE and UPDATE join on storage_id = ANY (ARRAY[…]),
// since with a plain equality the planner may read the whole index to merge it, and does where it
// takes the table for empty. Joining on ctid, as receives do, was rejected: a row that another
// transaction has just updated is invisible there to the statement's snapshot, and a delete would not
// find its message.
//
// 2026-11-21: a change of visibility makes known also the messages that it found visible and left
// alone, for a receive that met its lock has passed them by. The alternative, not to lock them, costs
// a second look at each message to say why it was not changed.
//
// 2026-11-21: counts are read as of clock_timestamp(), evaluated once for each queue. now(), the start of
// the transaction, is older than the statement's snapshot, and showed what was sent in between as delayed.
//
// 2026-11-21: a server folds the counters of the storages that its own trains have written to, and goes
// through all counters only once a minute. Rejected: to delete the rows without locking them first
// (2.2 us a row instead of 2.7, but servers that fold the same would wait for each other).
//
// 2026-11-22: who goes through all counters does so by their places in the table, 10,000 rows at a time, and adds up what stands
// there. The three rows of a cycle stand near each other and cancel each other out, so that nothing is left of nearly all of them, and
// pages are changed one after the other. At first one look found the storages with more rows than they need, and these were folded one
// by one, each row on a page of its own. Messages and bytes go into a storage's one row for them, whenever what they count is visible;
// at first they stayed with the second until which it was hidden, so that the delete of a message did not meet its send, was written
// again by each fold for a minute and a half, and deleted then. With both, folding 210,000 rows of cycles in 5,000 queues, minute
// after minute, takes PostgreSQL 690 ms of processor time instead of 1,640 (medians of six and seven runs in turn, on a busy machine),
// that is 10 us for a cycle instead of 23, 25 MB of WAL instead of 45, and the vacuum behind it 70 ms instead of 110. The rate of
// cycles over HTTP was not quiet enough to show it. Places where less than a fifth would be saved are left as they are, unless one
// storage has many rows more than it needs: what is hidden until many different seconds is read once a minute, and not written.
// Rejected: folding by storage with the new sums (1,100 ms where by places took 690, at first and with nothing of the minute before);
// to delete without locking, once more (340 to 550 ms instead of 470 to 580).
//
// 2026-11-21: secrets of access keys are sealed with AES-256-GCM under a key derived (HKDF) from the
// master key, for the row that they stand in. A check value, derived from the master key for this alone,
// tells servers that were given another one; the first server that comes with one stores it. Without a
// master key, which an external database need not have while nothing is verified, a session's key is kept
// without its secret, and so never verifies.
//
// 2026-11-21: access keys are believed for 10 s, for 1 s without notifications, and for no longer than
// they live; ids that are no keys likewise. A change of any key empties the cache, which is as large as
// there are callers.
//
// 2026-11-21: a coalesced receive deals the groups of a FIFO queue out to its callers like cards: the i-th gets
// the i-th group that is due, and when that has less to give than was asked for, the one as many places behind as there are callers. Filling
// the callers one after the other would give all that is due to the first; giving each one group, as first designed, starves callers
// that ask for ten where groups have one message.
//
// 2026-11-21: groups are keyed by 64 bits of a hash of their id. Ids that share them share a lock, nothing else. Handles of
// FIFO queues carry that key, so that a delete knows which group to lock without looking for its message.
//
// 2026-11-21: sequence numbers come from a sequence, one number a train, while the groups are locked, and not from
// the group's row: they rise in the queue and not only in the group, and sends leave the row of a group that has messages as it is.
//
// 2026-11-21: the row of a group that runs empty is deleted and made again. Kept with no due time, it would take
// three new versions for a message that passes through alone, instead of two, and a worker.
//
// 2026-11-21: counters of FIFO queues are kept by the instant at which messages become visible, and not by the second as those of standard
// queues, since no index counts what becomes visible within a second. A train's receive writes one row either way, but many that are hidden
// until different instants cannot be folded: for a queue with a million delayed messages counting takes longer.
//
// 2026-11-21: deduplication ids are inserted with ON CONFLICT DO UPDATE … WHERE expired, which waits for who is inserting the same and
// locks what it leaves alone; the statement behind reads whose they are. DO NOTHING would not see a winner that commits meanwhile. Where a
// queue turns out to have changed in between, what was remembered is forgotten in the same transaction.
//
// 2026-11-23: a group is also due when the retention of its first message ends. What was received shortly before, for hours, held up its
// group until the worker had removed it, for up to a minute. Only where a queue's retention is shortened it still does: to have all groups'
// rows follow at once would rewrite as many as the queue has.
//
// 2026-11-21: dead letters of FIFO queues are moved by a transaction of their own, before the callers are answered, and not in the train that
// found them: it would wait for the locks of target groups while it holds others out of order. A receive takes of a group either the dead
// letters that it begins with or what is in front of the next one, so that nothing behind dead letters is received before they are gone. Who is dealt
// dead letters from one group and messages from another looks again for both: an attempt to receive remembers what one look gave.
//
// 2026-11-21: a new delay of a FIFO queue is written to its messages when it is set, from the last one back, a thousand in a transaction.
// A delay worked out at each receive would need a second index of groups, for a change that few ever make; one transaction,
// as at first, locked all groups of the queue at once. The delays that were stand in delay_changes until all messages have followed, so that
// the same call again, or a server's worker, goes on where a server died: without them nobody could tell which messages the queue had delayed.
//
// 2026-11-21: FIFO queues have trains of their own, and their transactions a quarter of the connections at the most. A
// statement that waits for a group, which an application may hold in a transaction of its own (polymq.send), had held up the
// train that it shared with standard queues.
//
// 2026-11-21: a publish is all or nothing. The statement first finds the publishes of which topic and queues are as they were
// read, and inserts only what belongs to these; the others are found by absence, as stale sends are. Sends for each queue, with
// the retry of those that were stale, would have lost the rest when the server died in between.
//
// 2026-11-21: publishes with nothing to push have a statement without the three inserts for that. On a machine that others
// used as well a publish to one queue was at 83 % of a send, with both in trains of 64 callers.
//
// 2026-11-21: due_at of deliveries is by the database's own clock, and moving an account's time moves it the other way: one index
// serves all accounts. With the account's ahead in the condition, as elsewhere, a claim would have to know the accounts. What is
// claimed is left alone, since a claim lasts by the servers' time.
//
// 2026-11-21: deliveries are claimed by lane, a hash of the endpoint, for as many as the server has room for with it. Claiming
// whatever is due, and giving back what an endpoint has no room for, would rewrite the backlog of dead endpoints again and again. Which
// lanes have something due is found by leaping over the index from lane to lane: one entry read for each, once a second.
//
// 2026-11-21: the message of a publish is removed by the transaction that ends its last delivery. Two of them at the same moment
// each see the other's delivery, so a worker looks at what is left. A counter in the row would be locked by every delivery.
//
// 2026-11-21: the time that a message of a topic carries is an estimate of the database's, taken anew every 10 s, for the
// envelope is rendered and signed before the statement runs. FIFO topics, which are locked first, take it from the database.
//
// 2026-11-21: a fan-out or replay that fails rests, twice as long each time, and the one that has waited longest has its turn, so that
// one that can never succeed holds up nobody. A fan-out that has failed a hundred times in a row, or whose message cannot be
// read, ends as an attempt of its topic, where people look for what was not delivered.
//
// 2026-11-21: times of a FIFO topic's messages rise as its sequence numbers do: the topic's row remembers the last. A transaction that
// waited for the lock may have begun earlier than the one that held it, and an archive is searched by time and read by number.
//
// 2026-11-21: publishing to a FIFO topic is a transaction with the topic's row locked, and takes no train: duplicates and sequence
// numbers must be known before messages are rendered. What waits for a topic meanwhile stands in its line (publish_lines.go) and goes
// together in the next transaction; one that fails for a reason that may be one caller's is made again for each.
//
// 2026-11-21: a receive tells which messages are dead letters, and a second statement moves those, by key
// and handle version, before any caller is answered (dead_letters.go). The receive does not count for them, and hides them for 7 s, in
// which they are moved or, when the server dies in between, wait for the next receive to find them as they were. At first the receive
// counted, and hid them for the visibility timeout, which may be 12 hours. Whether there is a queue to move them to is asked by the receive
// too, for it cannot take back that it has not received what is then to be handed out. Rejected: a
// second statement in the same train, which found them by the moment until which the receive had hidden them. It
// left no half moves at all, but cost each train of a queue with a policy 90 us beside 190 (one message) to 350
// (twenty) of the receive; also rejected, a statement that moves and receives at once, which would be needed a second time
// for each other kind of receive; and to leave dead letters visible, where each receive finds them again until they are moved, and one that
// cannot be moved holds up its queue.
//
// 2026-11-21: a target that does not look for messages of a dead letter's priority yet is told to, by the mover.
// To have the policy or the send see to it would need the target's row each time a queue is altered.
//
// 2026-11-21: a move task is a row, and a step is a transaction that locks the row, moves up to 1,000
// messages and writes down how far it got (move_steps.go). Whoever gets the lock does the next step, so there are no
// leases, and nothing to take over when a server dies. The time of the next step stands in the row too, in the
// account's time, so that servers keep a rate together. A walk through the source goes by the index from where
// the last step stopped, for the entries before are dead, and once more from the start at the end. Without a rate a
// task keeps to 21,500 messages a second and rests for at least half of the time that a step took; a step after one that took long
// is half as large. On a machine that was busy with other things (load 4 to 6 on 2 cores) it moved 16,000 a second, and 32,000
// without the pause. A task whose step fails is put behind the others.
//
// 2026-11-21: messages in flight are counted only when a server may have received as many as were left at the
// last count, divided by the servers there are (in_flight.go). With several servers that start to receive at
// the same moment, a queue may exceed its limit by a part of what was left.
//
// 2026-11-21: messages of groups in standard queues get their place in line when they are sent, by an earlier visible_at (fair.go),
// as start-time fair queueing does it, with what each server knows of the line. So receives, their index and their
// marks are as they were, and sends without groups too. The first ten waiting messages of a group stand before everything else, those
// up to the hundredth behind the others' first ten, and what comes beyond at the end. Servers share nothing but the front of the line,
// which one that does not receive looks up once a second. Where messages of quiet groups alone are more than receivers take, the others
// wait, as less urgent priorities do. Rejected: an index by group and a walk from group to group, exact whoever sends, but which
// steps into the dead entries of each; lanes by a hash of the group, which mix noisy and quiet ones; rows of groups as FIFO queues have them, which
// every send and receive of a noisy group would lock. Dead letters, redrives and polymq.send go to the end of the line.
//
// 2026-11-22: a receive that does not wait gives, through any server, what was acknowledged before it began. What is visible behind the marks of
// other servers by more than their margin (places of groups, and whatever took longer than the margin to commit: sends, changes of visibility,
// publishes, dead letters, redrives) was for some milliseconds found by nobody there. Now its queue's row says that receives are to listen, and
// others are told before the answer; a receive that comes back short on such a queue notifies its own server and, since PostgreSQL
// delivers notifications in the order of the commits, knows when that has come back that it has heard all (listening.go). Callers share such a
// notification. Where it does not come back, or a server does not listen, the receive looks from the start of the line. A receive reads the
// row in any case, so queues without groups pay nothing, nor do servers that are alone, nor receives that wait, which are woken. With two
// servers a message that gets a place and its receive through the other one take 4.4 ms instead of 1.4 (medians, on a busy machine). The row says it
// for a day, so that it is written twice a day where groups are in use, and without a new version, which every server would have to read.
// Rejected: a bound of the places in the queue's row, from which all receives look: they would walk the dead entries behind it, a second's at
// least, and it would have to move on; answers of all other servers before a send is answered, which one server that hangs would hold up, and
// versions of before do not give; the notification in the send's own transaction, under a lock that all commits with notifications share while
// they wait for the disk. Not covered, and found when it is heard of, some milliseconds
// later, or by a sweep: what polymq.send sends in a transaction that takes long, since nobody is there who could wait for servers to hear of it;
// what others put into a queue before they know of a server that has just started; and a receive that took longer than the visibility timeout of
// its messages.
//
// 2026-11-22: polymq.send holds the row of its queue FOR KEY SHARE: a purge and the queue's end wait for the application's transaction, so that
// no message is left in what they remove, and so does a new delay, which in a FIFO queue is for all messages. With FOR SHARE, as at first, all
// changes of settings waited, and MNS messages of a priority that the queue had not had: an application whose transactions
// overlap could hold them up for ever.
//
// 2026-11-22: marks hold for a retention. A receive that comes with a longer one than the receives before looks from the start, however its
// server learnt of the change. At first the notification of a change reset the marks, which did nothing while the queue was not in the cache.
//
// 2026-11-22: where notifications could not be sent, others are told to look at everything as soon as they can be. They were lost before, and what
// they told of was found by a sweep.
//
// 2026-11-21: arrays of a send are unnested in the SELECT list and not in FROM, where PostgreSQL first stores what each
// of the eleven functions gives as a table: 9 % of the statement for 100 messages. For the arrays of queues, which have few
// elements, it gained nothing, and cost 1 to 4 % of the receives of 64 queues at once. Deletes of which none must be of the
// newest handle have a statement without that check: 11 % less for 100 messages, 5 % for one.
//
// 2026-11-21: in batches of 10 over 32 connections a message takes 94 us of processor time on its way, 103 before: the server 38,
// PostgreSQL 36, the load generator 20. A cycle of single requests takes 430 (192, 101, 139), nearly all for HTTP, commits and
// the start of statements. In a train of 100 messages PostgreSQL takes 24 us for each, and most of that is what no statement
// can do without: when it is sent, a row in the table 2.9 us and 1.9 in each of the two indexes, which a receive writes again, and 1.7 for the
// lock that a receive takes. Rejected, since it would gain less than it costs to read: receives without FOR UPDATE while no other server is
// registered (5 % of the receive, and trains could wait for each other in a circle); a codec of our own for arrays, whose elements pgx encodes one by one
// through an interface (1.0 of 94 us, for 80 lines). What would gain more changes the tables or leaves net/http: Go's monitor thread alone takes
// a tenth of the server's and of the load generator's time. The server allocates 5.7 KB in 30 objects for a message. A fifth of the bytes
// are pgx's buffers of arguments and of what is sent, which it makes anew for each train and which grow as they are
// filled; the messages themselves, once as rows and once for their callers, are an eighth. With either saved the collector's 1.2 us would be 1.0.
//
// 2026-11-22: what is left of single cycles is in trains, PostgreSQL and processors that wait, not in what a protocol does. A Gin handler that found
// three strings in a body and handed them to the Store made 0.395 of a server that answers at once, the real one 0.359 in the same six
// rounds; the handler with its messages in memory 0.947. Of two processors a request took the former 228 us: the server 73,
// PostgreSQL 41, the load generator 58, interrupts 12, idle 44 (some 20 of it while the load generator starts and ends); in memory 38, none, 43, 9 and 8. In batches
// of 10 a message takes 141: 43, 41, 21, 4 and 28.
//
// 2026-11-23: where cycles would end. A Gin handler whose trains are three bare statements on one connection (insert, receive with a mark,
// delete; no queue's row, counters, handles or versions) made 0.51 of a server that answers at once where the real one made 0.39 in the same
// seven rounds, sends 0.64 and 0.42; in batches of 10 5.4 times its own single cycles, the real one 4.3. A request took 42 us of its processor
// time and 17 of PostgreSQL's, of the real one 67 and 31. So 0.5 leaves next to nothing for what a queue is beyond these statements. Rejected:
// a lower priority for PostgreSQL (nice 10), so that trains fill up while it waits: they stay at 24 requests, and cycles as many.
//
// 2026-11-21: with 64 callers a cycle takes PostgreSQL 77 us in 1,000 queues and 54 in one. Counters are 14 of the 77 and 5 of the 54, for
// each queue has rows of its own where a train has one for all in the same queue; the rest is to look up each queue and to
// read its index by itself.
//
// 2026-11-21: pages, logs, metrics and alerts have half of the connections (Store.look). A log that was locked by somebody's
// maintenance took all of them, and sends waited seconds for one. A pool of their own would be another setting to explain.
//
// 2026-11-21: searches take a twelfth of a processor's time (searchTime). Without a bound two who searched in a loop took a third of the sends; to refuse
// them would be no answer to somebody who looks for a message.
//
// 2026-11-22: a page has 4 ms at least (searchLeast) and not 10, so that who asks for page after page waits 48 ms for one and not 120. While 64
// connections sent on two processors that others used too, pages of one searcher took 74 ms (p95 104 to 123) instead of 200 to 224 (250 to 282), of two 140 to
// 157 (307 to 344) instead of 343 to 404 (594 to 890); sends were as many and as fast. Such a page goes less
// far, three of them as far as one did; after a pause a page goes as far as before.
//
// 2026-11-21: a purge is one row of the message log, under an id that is made of the queue's name (eventID). A row for each message would
// write a log of a million rows; an index of its own would cost each event.
//
// 2026-11-21: the message log is written by COPY, with the accounts' times read before it: 8.8 to 9.5 us of PostgreSQL's processor time
// for an event in a batch of 2,000, and 3.1 of the server's. An insert of 25 unnested arrays took 13.3 to 14.8 and 5.5 to 6.1.
//
// 2026-11-22: a statement whose time is over is cancelled, and its answer is waited for a second longer (outcome.go). Before, the connection
// was given up at once, while PostgreSQL went on: after it had been killed, a receive that had spent 3.9 of its 4 s on connecting ran out
// of time and had all six groups of a queue in flight for a minute, of which nobody knew. Such a statement is now known to have happened,
// and is answered, or known not to have. It begins to be cancelled after 3.5 s, so that callers are told within 5. A commit that is cancelled while it
// waits for a synchronous standby answers as if all were well; the warning that comes before tells, and nobody is told that it happened.
//
// 2026-11-23: the connection that asks to cancel a statement is closed by whom it was asked, for a second. pgx closes its own once the statement has ended,
// and a client that goes so early is what PgBouncer 1.18, as Debian 12 has it, ends at ("bad client state: 0", mended in a later one): all
// connections through it were lost, and stayed so where nobody starts it again.
//
// 2026-11-22: where a connection is lost all the same, the queues of its train are looked at from the start, here and elsewhere, for
// what happened may lie behind the marks. That is told at once, and PostgreSQL may commit later, or be at work on a transaction of which the server
// does not keep what it would have made visible: sweeps look behind a mark for 10 s after it has moved, and not once. At first a mark that moved no
// more, since all receives waited, was swept once, and what came behind it after that was found by none of them. Trains that PostgreSQL says were
// undone lower no marks: receives that run out of time since they start far back would start further back each time.
//
// 2026-11-22: once a connection is lost, the pool makes all of them anew. pgx asks whether they live only those that have been idle for a second;
// when PostgreSQL has started anew by then, each of the others failed a train, whose callers had only just begun.
//
// 2026-11-23: a connection that was lost gives up its place at once, for as many as the pool has places, and idle ones have a second to say that
// they live. Where connections die without a word (a machine that is gone, a firewall that forgets), those in use are lost after 4.5 s; then pgx
// kept their places for 15 s more, to have PostgreSQL leave what they were at, and each idle one took a request's time: some 200 requests a
// second through a proxy that lost its 10 connections had no success for 19.6 s, and have none for 5.2. The one that listens is asked every 5 s
// and not every 30 s, so that messages of other servers are late by 8 s and not by 33 s. Rejected: places without a bound, for a PostgreSQL whose disk
// stands still takes new connections and ends none.
//
// 2026-11-23: PostgreSQL lets go of what a server holds when it has not heard of it for 15 s, and ends idle connections of a machine that is gone
// after 20 s (lettingGo; idle_in_transaction_session_timeout was 60 s). A server that was gone while it was being given an answer larger than the
// network's buffers (receives of 900 KB) kept its FIFO groups locked: sends to 6 of 20 groups failed through another server for as long as was
// watched, a minute, and now for 15 s at most. Connections that only PostgreSQL still knew, 5 to 9 for each server that was gone, would have stayed for
// two hours, of the 100 that it has. No request of ours waits as long: one is given up after 4.5 s, and what nobody reads with it. Between
// a pooler and PostgreSQL it is the pooler's to set, and what the URL says stays.
//
// 2026-11-23: each connection reads anew what its URL leaves to files, a passfile and certificates, as libpq does. pgx reads them once, and so a
// password that was changed in a passfile, or an authority in sslrootcert, kept the pool out until the server was started anew.
//
// 2026-11-23: that the database fails is told by whatever uses it, in a line a minute: protocols would have as many lines as requests, and log
// those that clients are to send again at the debug level. Before, the log knew of it from the chores alone: with PostgreSQL's disk full, sends
// failed while the last line said of a chore that it succeeds again.
//
// 2026-11-22: messages that became visible at once (a batch, what a receive with a visibility timeout of 0 gave) are given out in order of
// sending, as far as one receive finds them: it sorts what it found. The index has them in the order of their places in the table. To have it order by
// the id too would sort, for each receive, all that became visible at once, which may be a million messages.
//
// 2026-11-22: a migration that does not get a lock within a second lets those pass who wait behind it, and is tried again, thirty times. At first it waited for
// 5 s, as other statements may: an application that had sent in a transaction of its own, and was slow to end it, then held up all
// requests for longer than they have, and the new server ended with an error. Cancelled by somebody it is tried again too, as trains are; who
// means the server stops the server, which whatever started it would have started again.
//
// 2026-11-22: a schema is older than a server that knows a migration which it has not, also one between others, as when builds of two branches
// have had it. Before, the newest alone counted: the server was ready, and what needed the missing one failed.
//
// 2026-11-22: what was received by a transaction whose answer was lost comes back after its visibility timeout. The server seldom knows what that is: PostgreSQL
// sends an answer of less than 8 KB in one piece, after the commit. Nor may the handles be given back as they are where the rows came first: if the
// transaction was undone after all, the next receive of the message, by anybody, makes the same handle.
//
// 2026-11-22: a server whose heartbeat finds that the others have taken it to be gone, for it stood still for 20 s or the database was away as
// long, forgets what it remembers and tells them. Before, the one that came back first told nobody of anything for up to 5 s, and what it
// changed meanwhile was never told.
//
// 2026-11-22: a session says in which form it reads and writes texts, times, intervals, bytes, arrays and its statements, whatever its role or
// database says: with bytea_output = escape, or IntervalStyle other than postgres, a server behind a pooler did not start or answered nothing, and with
// standard_conforming_strings = off or client_encoding = GBK the first migration failed. polymq.send has the way its own text is read as a setting of
// the function, for it runs in applications' sessions.
package pg
