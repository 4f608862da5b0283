package sns

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/sns/filter"
)

// healthyRetryPolicy is the schedule of a push's retries (specs/sns.md 7.5). What is absent is as in
// the policy above it: of a subscription the topic's, of a topic the default.
type healthyRetryPolicy struct {
	MinDelayTarget     *int    `json:"minDelayTarget"`
	MaxDelayTarget     *int    `json:"maxDelayTarget"`
	NumRetries         *int    `json:"numRetries"`
	NumMaxDelayRetries *int    `json:"numMaxDelayRetries"`
	NumNoDelayRetries  *int    `json:"numNoDelayRetries"`
	NumMinDelayRetries *int    `json:"numMinDelayRetries"`
	BackoffFunction    *string `json:"backoffFunction"`
}

type throttlePolicy struct {
	MaxReceivesPerSecond *int `json:"maxReceivesPerSecond"`
}

type requestPolicy struct {
	HeaderContentType *string `json:"headerContentType,omitempty"`
}

// topicDeliveryPolicy is the DeliveryPolicy of a topic.
type topicDeliveryPolicy struct {
	HTTP httpDeliveryPolicy `json:"http"`
}

type httpDeliveryPolicy struct {
	HealthyRetryPolicy           *healthyRetryPolicy `json:"defaultHealthyRetryPolicy,omitempty"`
	DisableSubscriptionOverrides bool                `json:"disableSubscriptionOverrides"`
	ThrottlePolicy               *throttlePolicy     `json:"defaultThrottlePolicy,omitempty"`
	RequestPolicy                *requestPolicy      `json:"defaultRequestPolicy,omitempty"`
}

// shown gives the policy as it is shown, in which what is absent stays absent.
func (p topicDeliveryPolicy) shown() string {
	type retry struct { // as healthyRetryPolicy
		MinDelayTarget     *int    `json:"minDelayTarget,omitempty"`
		MaxDelayTarget     *int    `json:"maxDelayTarget,omitempty"`
		NumRetries         *int    `json:"numRetries,omitempty"`
		NumMaxDelayRetries *int    `json:"numMaxDelayRetries,omitempty"`
		NumNoDelayRetries  *int    `json:"numNoDelayRetries,omitempty"`
		NumMinDelayRetries *int    `json:"numMinDelayRetries,omitempty"`
		BackoffFunction    *string `json:"backoffFunction,omitempty"`
	}
	type http struct {
		HealthyRetryPolicy *retry `json:"defaultHealthyRetryPolicy,omitempty"`
		httpDeliveryPolicy
	}
	return jsonText(map[string]http{"http": {(*retry)(p.HTTP.HealthyRetryPolicy), p.HTTP}})
}

// subscriptionDeliveryPolicy is the DeliveryPolicy of a subscription, in the form in which it is shown.
type subscriptionDeliveryPolicy struct {
	HealthyRetryPolicy *healthyRetryPolicy `json:"healthyRetryPolicy"`
	SicklyRetryPolicy  *healthyRetryPolicy `json:"sicklyRetryPolicy"`
	ThrottlePolicy     *throttlePolicy     `json:"throttlePolicy"`
	RequestPolicy      *requestPolicy      `json:"requestPolicy"`
	Guaranteed         bool                `json:"guaranteed"`
}

const defaultContentType = "text/plain; charset=UTF-8"

// defaultDelivery is what holds where nobody says otherwise.
func defaultDelivery() topicDeliveryPolicy {
	return topicDeliveryPolicy{HTTP: httpDeliveryPolicy{
		HealthyRetryPolicy: &healthyRetryPolicy{
			MinDelayTarget: ref(20), MaxDelayTarget: ref(20), NumRetries: ref(3), NumMaxDelayRetries: ref(0),
			NumNoDelayRetries: ref(0), NumMinDelayRetries: ref(0), BackoffFunction: ref("linear"),
		},
		RequestPolicy: &requestPolicy{HeaderContentType: ref(defaultContentType)},
	}}
}

func ref[T any](v T) *T { return &v }

func or[T any](value, otherwise *T) *T {
	if value != nil {
		return value
	}
	return otherwise
}

// over gives the policy with what it lacks taken from below.
func (p *healthyRetryPolicy) over(below *healthyRetryPolicy) *healthyRetryPolicy {
	if p == nil {
		return below
	}
	return &healthyRetryPolicy{
		MinDelayTarget: or(p.MinDelayTarget, below.MinDelayTarget), MaxDelayTarget: or(p.MaxDelayTarget, below.MaxDelayTarget),
		NumRetries: or(p.NumRetries, below.NumRetries), NumMaxDelayRetries: or(p.NumMaxDelayRetries, below.NumMaxDelayRetries),
		NumNoDelayRetries: or(p.NumNoDelayRetries, below.NumNoDelayRetries), NumMinDelayRetries: or(p.NumMinDelayRetries, below.NumMinDelayRetries),
		BackoffFunction: or(p.BackoffFunction, below.BackoffFunction),
	}
}

func (p *requestPolicy) over(below *requestPolicy) *requestPolicy {
	if p == nil || p.HeaderContentType == nil {
		return below
	}
	return p
}

// effective gives the topic's policy with what it lacks taken from the defaults.
func (p topicDeliveryPolicy) effective() topicDeliveryPolicy {
	below := defaultDelivery()
	p.HTTP.HealthyRetryPolicy = p.HTTP.HealthyRetryPolicy.over(below.HTTP.HealthyRetryPolicy)
	p.HTTP.RequestPolicy = p.HTTP.RequestPolicy.over(below.HTTP.RequestPolicy)
	return p
}

// under gives the subscription's policy with what it lacks taken from that of the topic, which may
// not let it say anything.
func (p subscriptionDeliveryPolicy) under(topic topicDeliveryPolicy) subscriptionDeliveryPolicy {
	topic = topic.effective()
	if topic.HTTP.DisableSubscriptionOverrides {
		p = subscriptionDeliveryPolicy{}
	}
	p.HealthyRetryPolicy = p.HealthyRetryPolicy.over(topic.HTTP.HealthyRetryPolicy)
	p.RequestPolicy = p.RequestPolicy.over(topic.HTTP.RequestPolicy)
	p.ThrottlePolicy = or(p.ThrottlePolicy, topic.HTTP.ThrottlePolicy)
	return p
}

// Bounds of delivery policies.
const (
	maxPushRetries   = 100
	maxDelaySeconds  = 3600
	maxPolicySeconds = 3600 // all retries together
	maxPolicyLength  = 30720
)

// readPolicy reads a policy strictly: a member that is not known would be a wish that is not granted.
func readPolicy(name, text string, into any) error {
	if len(text) > maxPolicyLength {
		return fmt.Errorf("%s: it must be at most %d characters long", name, maxPolicyLength)
	}
	if fault := filter.SyntaxError(text); fault != "" {
		return errors.New(name + ": " + fault)
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	var wrong *json.UnmarshalTypeError
	switch err := decoder.Decode(into); {
	case errors.As(err, &wrong):
		return fmt.Errorf("%s: %s must not be a JSON %s", name, cmp.Or(wrong.Field, "it"), wrong.Value)
	case err != nil && strings.HasPrefix(err.Error(), "json: unknown field "):
		return fmt.Errorf("%s: Unexpected JSON member: %s", name, strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`))
	case err != nil:
		return fmt.Errorf("%s: failed to parse JSON. %w", name, err)
	}
	return nil
}

// readTopicDelivery reads the DeliveryPolicy of a topic.
func readTopicDelivery(text string) (p topicDeliveryPolicy, err error) {
	if text == "" {
		return p, nil
	}
	if err := readPolicy("DeliveryPolicy", text, &p); err != nil {
		return p, err
	}
	effective := p.effective().HTTP
	return p, checkDelivery("http.default%sPolicy", effective.HealthyRetryPolicy, effective.ThrottlePolicy, effective.RequestPolicy)
}

// readSubscriptionDelivery reads the DeliveryPolicy of a subscription.
func readSubscriptionDelivery(text string) (p subscriptionDeliveryPolicy, err error) {
	if text == "" {
		return p, nil
	}
	if err := readPolicy("DeliveryPolicy", text, &p); err != nil {
		return p, err
	}
	p.SicklyRetryPolicy, p.Guaranteed = nil, false
	effective := p.under(topicDeliveryPolicy{})
	return p, checkDelivery("%sPolicy", effective.HealthyRetryPolicy, effective.ThrottlePolicy, effective.RequestPolicy)
}

// checkDelivery checks the policies that count. The path leads to the one whose name is put into it.
func checkDelivery(path string, retry *healthyRetryPolicy, throttle *throttlePolicy, request *requestPolicy) error {
	if err := retry.check(nested(path, "HealthyRetry")); err != nil {
		return err
	}
	if throttle != nil && throttle.MaxReceivesPerSecond != nil {
		if err := within(nested(path, "Throttle")+".maxReceivesPerSecond", *throttle.MaxReceivesPerSecond, 1, core.MaxRate); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(*request.HeaderContentType, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("DeliveryPolicy: %s.headerContentType must be the value of a header", nested(path, "Request"))
	}
	return nil
}

// nested gives the path to a policy, whose name begins with a small letter where nothing stands before it.
func nested(path, name string) string {
	text := fmt.Sprintf(path, name)
	return strings.ToLower(text[:1]) + text[1:]
}

// within says that a number is too small or too large.
func within(member string, n, least, most int) error {
	switch {
	case n < least:
		return fmt.Errorf("DeliveryPolicy: %s must be greater than or equal to %d", member, least)
	case n > most:
		return fmt.Errorf("DeliveryPolicy: %s must be less than or equal to %d", member, most)
	}
	return nil
}

// check checks a policy that lacks nothing.
func (p *healthyRetryPolicy) check(path string) error {
	err := cmp.Or(
		within(path+".numRetries", *p.NumRetries, 0, maxPushRetries),
		within(path+".numNoDelayRetries", *p.NumNoDelayRetries, 0, maxPushRetries),
		within(path+".numMinDelayRetries", *p.NumMinDelayRetries, 0, maxPushRetries),
		within(path+".numMaxDelayRetries", *p.NumMaxDelayRetries, 0, maxPushRetries),
		within(path+".minDelayTarget", *p.MinDelayTarget, 1, maxDelaySeconds),
		within(path+".maxDelayTarget", *p.MaxDelayTarget, 1, maxDelaySeconds),
	)
	switch {
	case err != nil:
		return err
	case *p.MaxDelayTarget < *p.MinDelayTarget:
		return fmt.Errorf("DeliveryPolicy: %s.maxDelayTarget must be greater than or equal to minDelayTarget", path)
	case *p.NumNoDelayRetries+*p.NumMinDelayRetries+*p.NumMaxDelayRetries > *p.NumRetries:
		return fmt.Errorf("DeliveryPolicy: %s.numRetries must be greater than or equal to total of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries", path)
	}
	switch *p.BackoffFunction {
	case "linear", "arithmetic", "geometric", "exponential":
	default:
		return fmt.Errorf("DeliveryPolicy: %s.backoffFunction must be linear, arithmetic, geometric or exponential", path)
	}
	var all time.Duration
	schedule := p.schedule()
	for i := 1; i <= *p.NumRetries; i++ {
		delay, _ := schedule.Delay(i)
		all += delay
	}
	if all > maxPolicySeconds*time.Second {
		return fmt.Errorf("DeliveryPolicy: %s: all retries together must take at most %d seconds", path, maxPolicySeconds)
	}
	return nil
}

// checkSpecified says which member is absent of those that SNS demands of a subscription's policy, where there is one. It is
// asked when a policy is set only: what was kept without them goes on.
func (p *healthyRetryPolicy) checkSpecified() error {
	if p == nil {
		return nil
	}
	for _, member := range []struct {
		name  string
		value *int
	}{{"minDelayTarget", p.MinDelayTarget}, {"maxDelayTarget", p.MaxDelayTarget}, {"numRetries", p.NumRetries}} {
		if member.value == nil {
			return fmt.Errorf("DeliveryPolicy: healthyRetryPolicy.%s must be specified", member.name)
		}
	}
	return nil
}

// schedule gives the four phases of a policy that lacks nothing.
func (p *healthyRetryPolicy) schedule() core.RetryPolicy {
	least, most := time.Duration(*p.MinDelayTarget)*time.Second, time.Duration(*p.MaxDelayTarget)*time.Second
	function := core.Backoff(*p.BackoffFunction)
	if function == "linear" {
		function = core.Linear
	}
	return core.RetryPolicy{
		{Retries: *p.NumNoDelayRetries},
		{Retries: *p.NumMinDelayRetries, Min: least, Max: least},
		{Retries: *p.NumRetries - *p.NumNoDelayRetries - *p.NumMinDelayRetries - *p.NumMaxDelayRetries, Min: least, Max: most, Backoff: function},
		{Retries: *p.NumMaxDelayRetries, Min: most, Max: most},
	}
}

// rate gives the most pushes in a second, 0 for no limit.
func (p *throttlePolicy) rate() int {
	if p == nil || p.MaxReceivesPerSecond == nil {
		return 0
	}
	return *p.MaxReceivesPerSecond
}

// jsonText writes what always has a JSON form.
func jsonText(v any) string {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(buf.String(), "\n")
}

// Schedules of what is not pushed by HTTP (specs/sns.md 7.5).
var (
	serviceRetries = core.RetryPolicy{
		{Retries: 3},
		{Retries: 2, Min: time.Second, Max: time.Second},
		{Retries: 10, Min: time.Second, Max: 20 * time.Second, Backoff: core.Exponential},
		{Retries: 100_000, Min: 20 * time.Second, Max: 20 * time.Second},
	}
	personRetries = core.RetryPolicy{
		{Retries: 2, Min: 10 * time.Second, Max: 10 * time.Second},
		{Retries: 10, Min: 10 * time.Second, Max: 10 * time.Minute, Backoff: core.Exponential},
		{Retries: 38, Min: 10 * time.Minute, Max: 10 * time.Minute},
	}
)
