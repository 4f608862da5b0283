package sts

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
)

type assumeRoleRequest struct {
	RoleArn         string
	RoleSessionName string
	DurationSeconds *int
	Policy          *string
	ExternalId      *string
	SourceIdentity  *string
	PolicyArns      []policyARN `query:"PolicyArns.member"`
	Tags            []tag       `query:"Tags.member"`

	TransitiveTagKeys []string `query:"TransitiveTagKeys.member"`
}

// policyARN names a policy that is to bound a session.
type policyARN struct {
	ARN string `query:"arn"`
}

// tag is a tag of a session.
type tag struct{ Key, Value string }

type assumeRoleResult struct {
	SourceIdentity   string
	AssumedRoleUser  assumedRoleUser
	Credentials      credentials
	PackedPolicySize *int
}

type assumedRoleUser struct {
	AssumedRoleId string
	Arn           string
}

var (
	roleARN    = regexp.MustCompile(`^arn:aws(?:-cn|-us-gov)?:iam::([0-9]{12}):role/(?:[!-~]{1,512}/)?[\w+=,.@-]{1,64}$`)
	externalID = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
)

const maxExternalID = 1224

// assumeRole gives a key of a session of a role. The session is in the role's account.
func (s *Server) assumeRole(ctx context.Context, c *call, req *assumeRoleRequest) (*assumeRoleResult, error) {
	role := roleARN.FindStringSubmatch(req.RoleArn)
	switch {
	case req.RoleArn == "":
		return nil, violation("null", "roleArn", "not be null")
	case len(req.RoleArn) < 20:
		return nil, violation("'"+req.RoleArn+"'", "roleArn", "have length greater than or equal to 20")
	case role == nil:
		return nil, awsquery.Faultf(http.StatusBadRequest, "ValidationError", "%.256s is invalid", req.RoleArn)
	}
	var before core.Session // that asks, in a chain of roles
	if c.Key != nil {
		before = c.Key.Session
	}
	if err := req.check(&before); err != nil {
		return nil, err
	}
	life, err := duration(req.DurationSeconds, defaultRole, longestRole)
	if err != nil {
		return nil, err
	}
	if before.Role != "" && life > longestChained {
		return nil, awsquery.Faultf(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	account := role[1]
	kept, err := s.callers.Assume(ctx, &c.Caller, s.broker, req.RoleArn, req.conditionKey, req.further(&before)...)
	if err != nil {
		return nil, err
	}
	session := core.Session{Role: req.RoleArn, Name: req.RoleSessionName, Policy: text(req.Policy), SourceIdentity: text(req.SourceIdentity), Transitive: req.TransitiveTagKeys}
	session.Follow(&before)
	if kept != nil {
		if life > kept.MaxSession {
			return nil, awsquery.Faultf(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
		}
		session.RoleID = kept.ID
	}
	if err := s.bound(ctx, &session, account, req.PolicyArns, req.Tags); err != nil {
		return nil, err
	}
	made, err := s.newSession(ctx, core.NewKey{Account: account, Session: session, Lasts: life})
	if err != nil {
		return nil, err
	}
	assumed := call{Caller: c.Caller}
	assumed.Is(&core.Key{Account: account, Session: session})
	arn, id := assumed.identity()
	return &assumeRoleResult{
		SourceIdentity: session.SourceIdentity, AssumedRoleUser: assumedRoleUser{id, arn}, Credentials: made, PackedPolicySize: packedSize(req.Policy),
	}, nil
}

// further gives the actions that the request needs beside AssumeRole: policies go by a session's tags and by whom
// it stands for, and so not everybody who may assume a role may choose those, or bring them along.
func (req *assumeRoleRequest) further(before *core.Session) (actions []string) {
	if len(req.Tags) > 0 || len(before.Transitive) > 0 {
		actions = append(actions, tagSession)
	}
	if req.SourceIdentity != nil || before.SourceIdentity != "" {
		actions = append(actions, setSourceIdentity)
	}
	return actions
}

const (
	tagSession        = "sts:TagSession"
	setSourceIdentity = "sts:SetSourceIdentity"
)

// SessionActions are the actions that policies know and requests do not.
var SessionActions = []string{tagSession, setSourceIdentity}

// conditionKey gives the values of the condition keys that trust policies have.
func (req *assumeRoleRequest) conditionKey(key string) []string {
	one := func(value *string) []string {
		if value == nil {
			return nil
		}
		return []string{*value}
	}
	switch key {
	case "sts:externalid":
		return one(req.ExternalId)
	case "sts:rolesessionname":
		return one(&req.RoleSessionName)
	case "sts:sourceidentity":
		return one(req.SourceIdentity)
	case "aws:tagkeys":
		var keys []string
		for _, t := range req.Tags {
			keys = append(keys, t.Key)
		}
		return keys
	}
	if name, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
		for i := range req.Tags {
			if strings.EqualFold(req.Tags[i].Key, name) {
				return one(&req.Tags[i].Value)
			}
		}
	}
	return nil
}

// check says whether the parameters can be used, after those of the session that asks.
func (req *assumeRoleRequest) check(before *core.Session) error {
	if err := checkName(req.RoleSessionName, "roleSessionName", 64); err != nil {
		return err
	}
	if req.SourceIdentity != nil {
		if err := checkName(*req.SourceIdentity, "sourceIdentity", 64); err != nil {
			return err
		}
		if before.SourceIdentity != "" && before.SourceIdentity != *req.SourceIdentity {
			return awsquery.Faultf(http.StatusBadRequest, "ValidationError", "The source identity is already set for this assume role session")
		}
	}
	if req.ExternalId != nil && (len(*req.ExternalId) > maxExternalID || !externalID.MatchString(*req.ExternalId)) {
		return awsquery.Faultf(http.StatusBadRequest, "ValidationError", `1 validation error detected: Value at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@:\/-]* and have 2 to 1224 characters`)
	}
	if err := checkTags(req.Tags, req.TransitiveTagKeys, before.Transitive); err != nil {
		return err
	}
	return checkPolicy(req.Policy)
}
