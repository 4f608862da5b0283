package console

import (
	"embed"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
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

	s.messagingRoutes()
	s.identityRoutes()
	s.policyRoutes()
	s.serverRoutes()
}

// Page is a page of an account and region, or what is asked for from one.
type Page struct {
	Method string
	Path   string // below the account and region, a pattern of the mux's
}

// Pages lists every Page, so that tests walk through those that come as well.
func Pages() []Page { return New(nil, nil, Options{}).pages }

var wildcard = regexp.MustCompile(`\{(.*?)\}`)

// At gives the path of a page in an account and region, with names for its wildcards.
func (p Page) At(account, region string, name func(wildcard string) string) string {
	return prefix + "/" + account + "/" + region + "/" + wildcard.ReplaceAllStringFunc(p.Path, func(part string) string {
		if part == "{$}" {
			return ""
		}
		return name(strings.Trim(part, "{}"))
	})
}

func (s *Server) mount(p Page, do handler) {
	s.pages = append(s.pages, p)
	s.handle(p.Method+" "+scoped+p.Path, do)
}

// get mounts a page.
func (s *Server) get(path string, needs need, do handler) {
	s.mount(Page{http.MethodGet, path}, allowed(needs, do))
}

// post mounts a change, which is audited.
func (s *Server) post(path, action string, needs need, do handler) {
	s.mount(Page{http.MethodPost, path}, s.audited(action, false, allowed(needs, do)))
}

// data mounts a call of the data plane, which is audited only where it is denied.
func (s *Server) data(path, action string, needs need, do handler) {
	s.mount(Page{http.MethodPost, path}, s.audited(action, true, allowed(needs, do)))
}

// messagingRoutes mounts the pages of queues, topics and messages.
func (s *Server) messagingRoutes() {
	s.get("{$}", toLook, s.showOverview)
	s.get("live", toSurvey, s.serveSamples)
	s.get("busiest", toLook, s.showBusiest)

	s.get("queues", toLook, s.listQueues)
	s.post("queues", "CreateQueue", toOperate, s.createQueue)
	s.get("queues/{queue}", toLook, s.showQueue)
	s.get("queues/{queue}/counts", toLook, s.showCounts)
	s.get("queues/{queue}/messages", toLook, s.peekMessages)
	s.get("queues/{queue}/search", toRead, s.searchMessages)
	s.get("queues/{queue}/settings", toLook, s.showSettings)
	s.post("queues/{queue}/settings", "SetQueueAttributes", toOperate, s.alterQueue)
	s.post("queues/{queue}/logging", "SetQueueAttributes", toOperate, s.setLogging)
	s.data("queues/{queue}/send", "SendMessage", toOperate, s.sendMessages)
	s.data("queues/{queue}/receive", "ReceiveMessage", toOperate, s.receiveMessages)
	s.data("queues/{queue}/remove", "DeleteMessage", toOperate, s.deleteMessage)
	s.data("queues/{queue}/return", "ChangeMessageVisibility", toOperate, s.returnMessage)
	s.post("queues/{queue}/purge", "PurgeQueue", toOperate, s.purgeQueue)
	s.post("queues/{queue}/delete", "DeleteQueue", toOperate, s.deleteQueue)
	s.get("queues/{queue}/moves", toLook, s.showMoves)
	s.get("queues/{queue}/moves/tasks", toLook, s.showTasks)
	s.post("queues/{queue}/moves", "StartMessageMoveTask", toOperate, s.startMove)
	s.post("queues/{queue}/moves/{task}/cancel", "CancelMessageMoveTask", toOperate, s.cancelMove)

	s.get("trace", toLook, s.trace)

	s.get("topics", toLook, s.listTopics)
	s.post("topics", "CreateTopic", toOperate, s.createTopic)
	s.get("topics/{topic}", toLook, s.showTopic)
	s.get("topics/{topic}/settings", toLook, s.showTopicSettings)
	s.post("topics/{topic}/settings", "SetTopicAttributes", toOperate, s.alterTopic)
	s.data("topics/{topic}/publish", "Publish", toOperate, s.publish)
	s.post("topics/{topic}/subscribe", "Subscribe", toOperate, s.subscribe)
	s.post("topics/{topic}/delete", "DeleteTopic", toOperate, s.deleteTopic)
	s.get("topics/{topic}/tester", toLook, s.showTester)
	s.data("topics/{topic}/tester", "TestFilter", toLook, s.testFilter)
	s.get("topics/{topic}/subscriptions/{subscription}", toLook, s.showSubscription)
	s.get("topics/{topic}/subscriptions/{subscription}/deliveries", toLook, s.showDeliveries)
	s.post("topics/{topic}/subscriptions/{subscription}/settings", "SetSubscriptionAttributes", toOperate, s.alterSubscription)
	s.post("topics/{topic}/subscriptions/{subscription}/retry", "RetryDelivery", toOperate, s.retryDelivery)
	s.post("topics/{topic}/subscriptions/{subscription}/skip", "DeadLetterDelivery", toOperate, s.skipDelivery)
	s.post("topics/{topic}/subscriptions/{subscription}/delete", "Unsubscribe", toOperate, s.unsubscribe)

	s.get("outbox", toRead, s.showOutbox)
}

// serverRoutes mounts the pages of who may use the server, and of the server itself.
func (s *Server) serverRoutes() {
	s.get("alerts", toLook, s.listAlerts)
	s.post("alerts", "CreateAlert", toOperate, s.createAlert)
	s.get("alerts/{alert}", toLook, s.showAlert)
	s.post("alerts/{alert}/edit", "AlterAlert", toOperate, s.editAlert)
	s.post("alerts/{alert}/test", "TestAlert", toOperate, s.testAlert)
	s.post("alerts/{alert}/enable", "AlterAlert", toOperate, s.enableAlert)
	s.post("alerts/{alert}/delete", "DeleteAlert", toOperate, s.deleteAlert)
	s.get("keys", toManage, s.listKeys)
	s.get("audit", toManage, s.showAudit)
	s.post("keys", "CreateAccessKey", toManage, s.createKey)
	s.post("keys/{key}/disable", "UpdateAccessKey", toManage, s.disableKey)
	s.post("keys/{key}/delete", "DeleteAccessKey", toManage, s.deleteKey)
	s.get("clock", toManage, s.showClock)
	s.post("clock/advance", "AdvanceClock", toManage, s.advanceClock)
	s.post("clock/reset", "ResetAccount", toManage, s.resetAccount)
	s.get("faults", toLook, s.listFaults)
	s.post("faults", "CreateFault", toOperate, s.createFault)
	s.post("faults/delete", "DeleteFault", toOperate, s.deleteFault)
	s.get("servers", toLook, s.showServers)
	s.get("costs", toLook, s.showCosts)
	s.post("costs", "SetPrices", toRule, s.setPrices)
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
	if account := query.Get("account"); core.IsAccount(account) {
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
