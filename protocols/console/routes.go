package console

import (
	"embed"
	"io/fs"
	"net/http"
	"time"
)

// scoped is where the pages of an account and region lie.
const scoped = prefix + "/{account}/{region}/"

// routes mounts every page.
func (s *Server) routes() {
	s.mux.HandleFunc("GET "+prefix+"/assets/{file}", serveAsset)
	s.open("GET "+prefix+"/login", s.showLogin)
	s.open("POST "+prefix+"/login", s.logIn)
	s.open("POST "+prefix+"/logout", s.logOut)
	s.open("POST "+prefix+"/preferences", s.setPreferences)
	s.handle("GET "+prefix+"/go", s.pickScope)
	s.handle("GET "+prefix+"/{$}", s.showFirst)
	s.handle("GET "+prefix, s.showFirst)
	s.handle(prefix+"/", func(*exchange) error { return errNotFound })

	get := func(path string, do handler) { s.handle("GET "+scoped+path, do) }
	post := func(path, action string, do handler) { s.handle("POST "+scoped+path, s.audited(action, false, do)) }
	data := func(path, action string, do handler) { s.handle("POST "+scoped+path, s.audited(action, true, do)) } // of the data plane

	get("{$}", s.showOverview)
	get("live", s.serveSamples)
	get("busiest", s.showBusiest)

	get("queues", s.listQueues)
	post("queues", "CreateQueue", s.createQueue)
	get("queues/{queue}", s.showQueue)
	get("queues/{queue}/counts", s.showCounts)
	get("queues/{queue}/messages", s.peekMessages)
	get("queues/{queue}/search", s.searchMessages)
	get("queues/{queue}/settings", s.showSettings)
	post("queues/{queue}/settings", "SetQueueAttributes", s.alterQueue)
	post("queues/{queue}/logging", "SetQueueAttributes", s.setLogging)
	data("queues/{queue}/send", "SendMessage", s.sendMessages)
	data("queues/{queue}/receive", "ReceiveMessage", s.receiveMessages)
	data("queues/{queue}/remove", "DeleteMessage", s.deleteMessage)
	data("queues/{queue}/return", "ChangeMessageVisibility", s.returnMessage)
	post("queues/{queue}/purge", "PurgeQueue", s.purgeQueue)
	post("queues/{queue}/delete", "DeleteQueue", s.deleteQueue)
	get("queues/{queue}/moves", s.showMoves)
	get("queues/{queue}/moves/tasks", s.showTasks)
	post("queues/{queue}/moves", "StartMessageMoveTask", s.startMove)
	post("queues/{queue}/moves/{task}/cancel", "CancelMessageMoveTask", s.cancelMove)

	get("trace", s.trace)

	get("topics", s.listTopics)
	post("topics", "CreateTopic", s.createTopic)
	get("topics/{topic}", s.showTopic)
	data("topics/{topic}/publish", "Publish", s.publish)
	post("topics/{topic}/subscribe", "Subscribe", s.subscribe)
	post("topics/{topic}/delete", "DeleteTopic", s.deleteTopic)
	get("topics/{topic}/tester", s.showTester)
	data("topics/{topic}/tester", "TestFilter", s.testFilter)
	get("topics/{topic}/subscriptions/{subscription}", s.showSubscription)
	get("topics/{topic}/subscriptions/{subscription}/deliveries", s.showDeliveries)
	post("topics/{topic}/subscriptions/{subscription}/filter", "SetSubscriptionAttributes", s.setFilter)
	post("topics/{topic}/subscriptions/{subscription}/retry", "RetryDelivery", s.retryDelivery)
	post("topics/{topic}/subscriptions/{subscription}/skip", "DeadLetterDelivery", s.skipDelivery)
	post("topics/{topic}/subscriptions/{subscription}/delete", "Unsubscribe", s.unsubscribe)

	get("outbox", s.showOutbox)
	get("keys", s.listKeys)
	get("audit", s.showAudit)
	post("keys", "CreateAccessKey", s.createKey)
	post("keys/{key}/disable", "UpdateAccessKey", s.disableKey)
	post("keys/{key}/delete", "DeleteAccessKey", s.deleteKey)
	get("clock", s.showClock)
	post("clock/advance", "AdvanceClock", s.advanceClock)
	post("clock/reset", "ResetAccount", s.resetAccount)
	get("servers", s.showServers)
	get("costs", s.showCosts)
	post("costs", "SetPrices", s.setPrices)
}

// showFirst leads to the overview of the account that the visitor most likely wants.
func (s *Server) showFirst(x *exchange) error {
	if x.session.key != nil {
		x.account = x.session.key.Account
	}
	http.Redirect(x.w, x.r, x.base()+"/", http.StatusFound)
	return nil
}

// pickScope leads to an account and region that were picked.
func (s *Server) pickScope(x *exchange) error {
	query := x.r.URL.Query()
	if account := query.Get("account"); isAccount(account) {
		x.account = account
	}
	if region := query.Get("region"); isRegion(region) {
		x.region = region
	}
	http.Redirect(x.w, x.r, x.base()+"/", http.StatusSeeOther)
	return nil
}

// assets are the files that pages load.
//
//go:embed assets
var assets embed.FS

// assetLife is how long browsers keep an asset; its address changes with what the server holds.
const assetLife = "public, max-age=31536000, immutable"

func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	content, err := fs.ReadFile(assets, "assets/"+name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", assetLife)
	http.ServeContent(w, r, name, time.Time{}, bytesReader(content))
}
