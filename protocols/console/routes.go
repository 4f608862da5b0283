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
	post := func(path string, do handler) { s.handle("POST "+scoped+path, do) }

	get("{$}", s.showOverview)
	get("live", s.serveSamples)
	get("busiest", s.showBusiest)

	get("queues", s.listQueues)
	post("queues", s.createQueue)
	get("queues/{queue}", s.showQueue)
	get("queues/{queue}/counts", s.showCounts)
	get("queues/{queue}/messages", s.peekMessages)
	get("queues/{queue}/search", s.searchMessages)
	get("queues/{queue}/settings", s.showSettings)
	post("queues/{queue}/settings", s.alterQueue)
	post("queues/{queue}/logging", s.setLogging)
	post("queues/{queue}/send", s.sendMessages)
	post("queues/{queue}/receive", s.receiveMessages)
	post("queues/{queue}/remove", s.deleteMessage)
	post("queues/{queue}/return", s.returnMessage)
	post("queues/{queue}/purge", s.purgeQueue)
	post("queues/{queue}/delete", s.deleteQueue)
	get("queues/{queue}/moves", s.showMoves)
	get("queues/{queue}/moves/tasks", s.showTasks)
	post("queues/{queue}/moves", s.startMove)
	post("queues/{queue}/moves/{task}/cancel", s.cancelMove)

	get("trace", s.trace)

	get("topics", s.listTopics)
	post("topics", s.createTopic)
	get("topics/{topic}", s.showTopic)
	post("topics/{topic}/publish", s.publish)
	post("topics/{topic}/subscribe", s.subscribe)
	post("topics/{topic}/delete", s.deleteTopic)
	get("topics/{topic}/tester", s.showTester)
	post("topics/{topic}/tester", s.testFilter)
	get("topics/{topic}/subscriptions/{subscription}", s.showSubscription)
	get("topics/{topic}/subscriptions/{subscription}/deliveries", s.showDeliveries)
	post("topics/{topic}/subscriptions/{subscription}/filter", s.setFilter)
	post("topics/{topic}/subscriptions/{subscription}/retry", s.retryDelivery)
	post("topics/{topic}/subscriptions/{subscription}/skip", s.skipDelivery)
	post("topics/{topic}/subscriptions/{subscription}/delete", s.unsubscribe)

	get("outbox", s.showOutbox)
	get("keys", s.listKeys)
	post("keys", s.createKey)
	post("keys/{key}/disable", s.disableKey)
	post("keys/{key}/delete", s.deleteKey)
	get("clock", s.showClock)
	post("clock/advance", s.advanceClock)
	post("clock/reset", s.resetAccount)
	get("servers", s.showServers)
	get("costs", s.showCosts)
	post("costs", s.setPrices)
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
