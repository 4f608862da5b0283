package sts

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	rules "github.com/polymq/polymq/core/policy"
	"github.com/polymq/polymq/protocols/awsquery"
)

// credentials are a temporary key on the wire.
type credentials struct {
	AccessKeyId     string
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

// Bounds of the service's manual.
const (
	shortestSession  = 15 * time.Minute
	longestRole      = 12 * time.Hour
	longestChained   = time.Hour // of a role that a role's session assumes
	longestSession   = 36 * time.Hour
	defaultRole      = time.Hour
	defaultSession   = 12 * time.Hour
	rootsSession     = time.Hour // default and longest of the account itself
	maxSessionPolicy = 2048
	shortestName     = 2
)

// newSession makes a temporary key and gives its account as the sessions do.
func (s *Server) newSession(ctx context.Context, in core.NewKey) (credentials, error) {
	key, err := s.broker.CreateKey(ctx, in)
	if err != nil {
		return credentials{}, err
	}
	return credentials{
		AccessKeyId: key.ID, SecretAccessKey: string(key.Secret), SessionToken: string(key.Token),
		Expiration: key.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z"),
	}, nil
}

// duration gives how long a session is to last.
func duration(seconds *int, normal, longest time.Duration) (time.Duration, error) {
	if seconds == nil {
		return normal, nil
	}
	value := "'" + strconv.Itoa(*seconds) + "'"
	switch {
	case *seconds < int(shortestSession/time.Second):
		return 0, violation(value, "durationSeconds", "have value greater than or equal to %d", shortestSession/time.Second)
	case *seconds > int(longest/time.Second):
		return 0, violation(value, "durationSeconds", "have value less than or equal to %d", longest/time.Second)
	}
	return time.Duration(*seconds) * time.Second, nil
}

// checkTags says whether a session can be given the tags: each once, those that are to pass on among them, and none in
// the place of one that came to it.
func checkTags(tags []tag, transitive, inherited []string) error {
	wrong := func(message string) error {
		return awsquery.Faultf(http.StatusBadRequest, "InvalidParameterValue", "%s", message)
	}
	has := func(list []tag, name string) bool {
		return slices.ContainsFunc(list, func(t tag) bool { return strings.EqualFold(t.Key, name) })
	}
	for i, t := range tags {
		if has(tags[:i], t.Key) {
			return wrong("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
	}
	for _, name := range inherited {
		if has(tags, name) {
			return wrong("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	for _, name := range transitive {
		if !has(tags, name) {
			return wrong("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

// bound adds to a session the managed policies that it is asked to be bounded by, and its tags.
func (s *Server) bound(ctx context.Context, session *core.Session, account string, policies []policyARN, tags []tag) error {
	if len(policies) > maxSessionPolicies {
		return violation("'"+strconv.Itoa(len(policies))+"'", "policyArns", "have length less than or equal to %d", maxSessionPolicies)
	}
	for _, p := range policies {
		name, ok := core.PolicyNameOf(p.ARN)
		if !ok || name.Cloud != core.AWS || !name.BuiltIn() && name.Account != account {
			return awsquery.Faultf(http.StatusBadRequest, "ValidationError", "%.256s is not a policy of the account %s.", p.ARN, account)
		}
		found, err := s.broker.Policy(ctx, name)
		if core.CodeOf(err) == core.EntityNotFound {
			return awsquery.Faultf(http.StatusBadRequest, "ValidationError", "%s", core.MessageOf(err))
		} else if err != nil {
			return err
		}
		session.Policies = append(session.Policies, found.ID)
	}
	all := len(session.Tags) + len(tags)
	for _, t := range tags {
		if t.Key == "" || len(t.Key) > core.MaxEntityTagKey || len(t.Value) > core.MaxEntityTagValue || all > core.MaxEntityTags {
			return awsquery.Faultf(http.StatusBadRequest, "ValidationError", "A session has at most %d tags, with keys of 1 to %d characters and values of up to %d.",
				core.MaxEntityTags, core.MaxEntityTagKey, core.MaxEntityTagValue)
		}
		if session.Tags == nil {
			session.Tags = map[string]string{}
		}
		session.Tags[t.Key] = t.Value
	}
	return nil
}

const maxSessionPolicies = 10

// checkPolicy says whether a session policy can be kept.
func checkPolicy(policy *string) error {
	switch {
	case policy == nil:
		return nil
	case *policy == "":
		return violation("''", "policy", "have length greater than or equal to 1")
	case len(*policy) > maxSessionPolicy:
		return awsquery.Faultf(http.StatusBadRequest, "PackedPolicyTooLarge", "The session policy has %d characters, it may have %d.", len(*policy), maxSessionPolicy)
	}
	if _, err := rules.ParseAWS(*policy, rules.Session); err != nil {
		return awsquery.Faultf(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
	}
	return nil
}

// packedSize gives how much of the room for policies is used, in percent.
func packedSize(policy *string) *int {
	if policy == nil {
		return nil
	}
	percent := (len(*policy)*100 + maxSessionPolicy - 1) / maxSessionPolicy
	return &percent
}

var sessionName = regexp.MustCompile(`^[\w+=,.@-]*$`)

// checkName says whether a parameter can be the name of a session.
func checkName(name, parameter string, longest int) error {
	value := "'" + name + "'"
	if len(name) > 2*longest {
		value = "'" + name[:2*longest] + "…'"
	}
	switch {
	case name == "":
		return violation("null", parameter, "not be null")
	case len(name) < shortestName:
		return violation(value, parameter, "have length greater than or equal to %d", shortestName)
	case len(name) > longest:
		return violation(value, parameter, "have length less than or equal to %d", longest)
	case !sessionName.MatchString(name):
		return violation(value, parameter, `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	return nil
}

// text gives an optional parameter.
func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}
