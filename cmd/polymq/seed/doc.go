// Package seed makes a server have what a file declares: aliases of accounts, queues, topics with their subscriptions, policies,
// groups, users, roles, access keys, and alerts.
//
//	account: "000000000000"
//	region: us-east-1
//	queues:
//	  - name: orders-dead
//	  - name: orders
//	    visibility_timeout_seconds: 60
//	    dead_letter: {queue: orders-dead, max_receives: 5}
//	topics:
//	  - name: events
//	    subscriptions:
//	      - name: to-orders
//	        queue: orders
//	        filter: '{"kind": ["order"]}'
//	keys:
//	  - id: orders-service
//	    secret: ${ORDERS_SECRET}
//	alerts:
//	  - name: orders-are-late
//	    metric: oldest_message_age
//	    queue: orders*
//	    threshold: 300
//	    to: [{type: slack, target: "${SLACK_URL}"}]
//
// Accounts are of no account and region, and so is what a file says of them; their aliases of sixteen digits are the
// names that hosts of Alibaba's form have for them:
//
//	accounts:
//	  - id: "111122223333"
//	    alias: "1234567890123456"
//
// A user, group or role also has its policies, by name or ARN, its inline policies and its boundary, and a user
// its groups:
//
//	users:
//	  - name: ann
//	    groups: [senders]
//	    policies: [AmazonSQSReadOnlyAccess]
//	    inline: [{name: own, text: '{…}'}]
//
// Each entry is the body of the request of the JSON API that makes it, so there is nothing else to learn,
// and what the API says of itself is also the schema of the file. An entry that exists is changed in the
// fields that the file names; those that it does not name stay. Tags are the exception: if any are named,
// these are all, and so with policies and groups. Several documents in one file, apart by ---, are of several accounts and regions. In texts
// ${NAME} is the environment variable, ${NAME:-text} one with a default, and $${ is ${ itself.
//
// The same file again changes nothing. Dump gives the file that does so for what is there.
//
// # Decisions
//
// 2026-11-21: the file is compared with what the API shows, field by field, without a memory of what an
// earlier file said. Such a memory would be one more thing that can be wrong; what is to go away is named
// with its empty value, or goes with --prune.
//
// 2026-11-21: queues are made first without their dead-letter queues, which are set when all are there. The
// order of the entries has no meaning.
//
// 2026-11-21: an access key, and a destination of an alert, that exists keeps its secret, for nobody can read it to compare. Administrators'
// keys, pending subscriptions and those whose endpoints the API cannot make are not pruned and not dumped.
//
// 2026-11-22: accounts are never pruned: with one go its users, roles, policies and access keys, which is more than
// who leaves out a line can mean. A dump has the aliases of the account that it names, or of all where it names none.
//
// 2026-11-22: a dump has variables where secrets would be, also for the URLs of robots and webhooks, which are
// secrets as a whole: such files are kept where programs are kept. Stars would make a file that cannot be
// applied. An access key's has an empty default, since a server that has the key needs none.
package seed
