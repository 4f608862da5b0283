package protocols

import (
	"fmt"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/docs"
	"github.com/polymq/polymq/protocols/aliyunsts"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/dybase"
	"github.com/polymq/polymq/protocols/iam"
	"github.com/polymq/polymq/protocols/localstack"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/ram"
	"github.com/polymq/polymq/protocols/smq"
	"github.com/polymq/polymq/protocols/sns"
	"github.com/polymq/polymq/protocols/sqs"
	"github.com/polymq/polymq/protocols/sts"
)

// Options say what is spoken and how the server is reached.
type Options struct {
	Caller    caller.Options
	Protocols []string // of Names; nil: all
	TestMode  bool     // time may be moved forward
	SQS       sqs.Options
	SNS       sns.Options
	MNS       mns.Options
	Version   string   // of the server
	Authority []byte   // certificate in PEM that clients have to trust; nil: there is none
	Forward   *url.URL // where requests for other services go; nil: they are refused
	Scripts   *localstack.Scripts
	Metrics   http.Handler     // of /metrics; nil: none
	Console   *console.Options // nil: there is none
	Hosts     []string         // further names of the server for browsers, where signatures are not verified; "*.example.com" for all in a zone
	Log       zerolog.Logger
}

// Names are the protocols that can be switched on and off.
var Names = []string{"sqs", "sns", "sts", "iam", "mns", "smq", "aliyunsts", "ram", "dybase", "api"}

// queryProtocols are those of AWS's services, by the names in the scopes of credentials.
var queryProtocols = []string{"sqs", "sns", "sts", "iam"}

// port is what listens on the one port.
type port struct {
	options Options
	sqs     *sqs.Server
	sns     *sns.Server
	sts     *sts.Server
	iam     *iam.Server
	mns     *mns.Server
	smq     *smq.Server
	aliSTS  *aliyunsts.Server
	ram     *ram.Server
	dybase  *dybase.Server
	forward http.Handler // nil: other services are refused
	hosts   []string     // names, and zones, that are the server's own
}

// New makes the handler of the one port.
func New(broker *core.Broker, options Options) http.Handler {
	options.Caller.Actions = policyActions()
	p := &port{options: options, sqs: sqs.New(broker, &options.Caller, options.SQS), sts: sts.New(broker, &options.Caller), mns: mns.New(broker, &options.Caller, options.MNS)}
	p.smq = smq.New(broker, &options.Caller, p.mns.Gate())
	p.iam, p.ram = iam.New(broker, &options.Caller), ram.New(broker, &options.Caller)
	p.aliSTS, p.dybase = aliyunsts.New(broker, &options.Caller), dybase.New(broker, &options.Caller)
	p.sns = sns.New(broker, &options.Caller, options.SNS)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	if options.Log.GetLevel() <= zerolog.DebugLevel {
		engine.Use(p.logRequest)
	}
	engine.Use(p.recover)
	if !options.Caller.Verify {
		p.hosts = ownHosts(&options)
		engine.Use(p.guardHosts)
	}
	jsonAPI := api.New(broker, &p.options.Caller, api.Options{Version: options.Version, TestMode: options.TestMode, Authority: options.Authority})
	jsonAPI.RegisterHealth(engine)
	if p.speaks("api") {
		jsonAPI.Register(engine)
	}
	localstack.New(broker, localstack.Options{
		Version: options.Version, Services: awsServices(p.speaks), Scripts: options.Scripts, TestMode: options.TestMode, Open: !options.Caller.Verify,
	}).Register(engine)
	if options.Metrics != nil {
		jsonAPI.Guarded(engine, "/metrics", options.Metrics)
	}
	if options.Console != nil {
		console.New(broker, &p.options.Caller, *options.Console).Register(engine)
	}
	if options.Forward != nil {
		p.forward = newForwarder(options.Forward, options.Caller.SignOnHeader)
	}
	engine.NoRoute(p.serve)
	return engine
}

// NewAPI makes a handler of the JSON API alone, for who sets a server up from within. Unlike New it leaves the broker as it is: pushes
// go on as the one port has them made.
func NewAPI(broker *core.Broker, options Options) http.Handler {
	options.Caller.Actions = policyActions()
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use((&port{options: options}).recover)
	api.New(broker, &options.Caller, api.Options{Version: options.Version}).Register(engine)
	return engine
}

// policyActions gives the actions that policies decide about, of all protocols, whether they are spoken or not.
func policyActions() []string {
	actions := append(sqs.PolicyActions(), sns.PolicyActions()...)
	actions = append(append(actions, mns.PolicyActions()...), smq.PolicyActions()...)
	for service, of := range map[string][]coverage.Action{"sts": slices.Concat(sts.Actions(), aliyunsts.Actions()), "iam": iam.Actions(), "ram": ram.Actions(), "dybaseapi": dybase.Actions()} {
		for _, action := range of {
			if action.Done {
				actions = append(actions, service+":"+action.Name)
			}
		}
	}
	actions = append(actions, sts.SessionActions...)
	slices.Sort(actions)
	return slices.Compact(actions)
}

func (p *port) speaks(protocol string) bool {
	on := p.options.Protocols
	if on == nil {
		on = Names
	}
	return slices.Contains(on, protocol)
}

// awsServices gives those of AWS's services that are spoken.
func awsServices(speaks func(string) bool) []string {
	return slices.DeleteFunc(slices.Clone(queryProtocols), func(name string) bool { return !speaks(name) })
}

// serve passes a request on to the protocol that it speaks.
func (p *port) serve(c *gin.Context) {
	if p.share(c.Writer, c.Request) {
		return
	}
	if p.options.Console != nil && console.Wants(c.Request) {
		console.Lead(c.Writer, c.Request)
		return
	}
	if docs.Wants(c.Request) {
		docs.Handler().ServeHTTP(c.Writer, c.Request)
		return
	}
	switch protocol := protocolOf(c.Request); {
	case !p.speaks(protocol) && p.forward != nil:
		p.forward.ServeHTTP(c.Writer, c.Request)
		c.Writer.WriteHeaderNow() // of an answer without a body, which a 404 may be
	case !p.speaks(protocol):
		p.refuse(c.Writer, c.Request)
	case protocol == "api":
		api.NotFound(c)
	case protocol == "mns":
		p.mns.ServeHTTP(c.Writer, c.Request)
	case protocol == "smq":
		p.smq.ServeHTTP(c.Writer, c.Request)
	case protocol == "aliyunsts":
		p.aliSTS.ServeHTTP(c.Writer, c.Request)
	case protocol == "ram":
		p.ram.ServeHTTP(c.Writer, c.Request)
	case protocol == "dybase":
		p.dybase.ServeHTTP(c.Writer, c.Request)
	case protocol == "sns":
		p.sns.ServeHTTP(c.Writer, c.Request)
	case protocol == "sts":
		p.sts.ServeHTTP(c.Writer, c.Request)
	case protocol == "iam":
		p.iam.ServeHTTP(c.Writer, c.Request)
	default:
		p.sqs.ServeHTTP(c.Writer, c.Request)
	}
	if !c.Writer.Written() && c.Writer.Status() == http.StatusNotFound {
		panic(http.ErrAbortHandler) // nobody is there to be answered; Gin would say that it knows no such page
	}
}

// formTarget begins what Perl's Amazon::SQS::Simple and Ballerina's connector write as the target beside a form of the query protocol.
const formTarget = "AmazonSQSv20121105."

// protocolOf gives the protocol that a request speaks, "" for one that polymq does not.
func protocolOf(r *http.Request) string {
	target := r.Header.Get("X-Amz-Target")
	authorization := r.Header.Get("Authorization")
	switch {
	case api.Matches(r):
		return "api"
	case strings.HasPrefix(r.URL.Path, sqs.PeekPath):
		return "sqs"
	case sns.IsCertificate(r):
		return "sns"
	case r.Header.Get("Smithy-Protocol") != "":
		return spoken(strings.HasPrefix(r.URL.Path, "/service/AmazonSQS/"))
	case target != "":
		return spoken(strings.HasPrefix(target, "AmazonSQS.") || strings.HasPrefix(target, formTarget))
	case smq.Matches(r):
		return "smq"
	case mns.Matches(r):
		return "mns"
	case aliyunsts.Matches(r):
		return "aliyunsts"
	case ram.Matches(r):
		return "ram"
	case dybase.Matches(r):
		return "dybase"
	case isAlibaba(r):
		if service := serviceOfVersion[openAPIVersion(r)]; service != "dybase" { // whose version is that of others, too
			return service
		}
		return ""
	case isRocketMQ(r):
		return ""
	case (strings.HasPrefix(authorization, "AWS4-") || strings.Contains(r.URL.RawQuery, "X-Amz-Credential=")) && caller.ServiceOf(r) != "":
		if service := caller.ServiceOf(r); slices.Contains(queryProtocols, service) {
			return service
		}
		return versionedService(r)
	case looks(r):
		return "sqs"
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return ""
	}
	return queryService(r)
}

// looks says that a request asks whether there is a server, or a page of the documentation, by the HEAD alone of what
// SQS answers as a GET that names no action.
func looks(r *http.Request) bool {
	isPage := r.URL.Path == "/" || r.URL.Path == docs.Prefix || strings.HasPrefix(r.URL.Path, docs.Prefix+"/")
	return r.Method == http.MethodHead && isPage && r.URL.RawQuery == "" && r.ContentLength == 0
}

func spoken(isSQS bool) string {
	if isSQS {
		return "sqs"
	}
	return ""
}

// Waits says that a request may be a long poll, as far as its head tells: it receives by SQS in JSON, or by MNS.
func Waits(r *http.Request) bool {
	if r.Method == http.MethodGet {
		return strings.HasSuffix(r.URL.Path, "/messages") && mns.Matches(r)
	}
	return r.Header.Get("X-Amz-Target") == "AmazonSQS.ReceiveMessage"
}

// logRequest writes a line for each request. It is mounted at the debug level only.
func (p *port) logRequest(c *gin.Context) {
	began, protocol := time.Now(), protocolOf(c.Request) // before the body is read
	c.Next()
	p.options.Log.Debug().Str("protocol", protocol).Str("method", c.Request.Method).Str("path", c.Request.URL.Path).
		Str("target", c.Request.Header.Get("X-Amz-Target")).Str("remote", c.Request.RemoteAddr).
		Int("status", c.Writer.Status()).Int("bytes", c.Writer.Size()).Dur("took", time.Since(began)).Msg("request")
}

// recover answers with an internal fault where a handler panics.
func (p *port) recover(c *gin.Context) {
	defer func() {
		reason := recover()
		if reason == nil {
			return
		}
		if reason == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			panic(reason)
		}
		p.options.Log.Error().Str("protocol", protocolOf(c.Request)).Str("path", c.Request.URL.Path).
			Str("reason", fmt.Sprint(reason)).Bytes("stack", debug.Stack()).Msg("handler panicked")
		c.Abort()
		if !c.Writer.Written() {
			formOf(c.Request).write(c.Writer, refusal{status: http.StatusInternalServerError, code: "InternalError", message: "internal error"}, c.Request)
		}
	}()
	c.Next()
}
