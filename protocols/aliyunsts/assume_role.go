package aliyunsts

import (
	"cmp"
	"context"
	"crypto/rand"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
	"github.com/polymq/polymq/protocols/openapi"
)

type assumeRoleRequest struct {
	RoleArn         string `required:"true"`
	RoleSessionName string `required:"true"`
	DurationSeconds *int
	Policy          *string
	ExternalId      *string
	SourceIdentity  string
}

type assumeRoleAnswer struct {
	RequestId       string
	AssumedRoleUser assumedRoleUser
	Credentials     credentials
	SourceIdentity  string `json:",omitempty"`
}

type assumedRoleUser struct{ Arn, AssumedRoleId string }

type credentials struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }

// Bounds of the service's manual.
const (
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
	defaultSession  = time.Hour
	maxPolicy       = 2048
	maxExternalID   = 1224
)

var (
	roleARN     = regexp.MustCompile(`^acs:ram::([0-9]{1,32}):role/([A-Za-z0-9.@_-]{1,64})$`)
	sessionName = regexp.MustCompile(`^[A-Za-z0-9.@_-]{2,64}$`)
	externalID  = regexp.MustCompile(`^[A-Za-z0-9=,.@:/_+-]{2,}$`)
)

// assumeRole gives a key of a session of a role. The session is in the role's account.
func (s *Server) assumeRole(ctx context.Context, c *openapi.Call, req *assumeRoleRequest) (*assumeRoleAnswer, error) {
	life, err := req.check()
	if err != nil {
		return nil, err
	}
	account := accountOf(req.RoleArn, c.Account)
	session := core.Session{Role: "acs:ram::" + account + ":role/" + roleName(req.RoleArn), Name: req.RoleSessionName, SourceIdentity: req.SourceIdentity}
	if c.Key != nil { // in a chain of roles, whose source identity stays what it is
		session.Follow(&c.Key.Session)
	}
	if req.SourceIdentity != "" && req.SourceIdentity != session.SourceIdentity {
		return nil, wrong("SourceIdentity", "is already set for this session and cannot be changed")
	}
	kept, err := s.callers.Assume(ctx, &c.Caller, s.broker, session.Role, req.conditionKey)
	switch {
	case core.CodeOf(err) == core.EntityNotFound:
		return nil, openapi.NewFault(http.StatusNotFound, "EntityNotExist.Role", "The role does not exist: "+roleName(req.RoleArn)+".")
	case err != nil:
		return nil, err
	case kept != nil && life > kept.MaxSession:
		return nil, wrong("DurationSeconds", "is more than the role's MaxSessionDuration of "+inSeconds(kept.MaxSession))
	case kept != nil:
		session.RoleID = kept.ID
	}
	if req.Policy != nil {
		session.Policy = *req.Policy
	}
	key, err := s.broker.CreateKey(ctx, core.NewKey{ID: "STS." + rand.Text(), Account: account, Session: session, Lasts: life})
	if err != nil {
		return nil, err
	}
	return &assumeRoleAnswer{
		RequestId:       c.ID(),
		AssumedRoleUser: assumedRoleUser{req.RoleArn + "/" + session.Name, openapi.ID(cmp.Or(session.RoleID, session.Role)) + ":" + session.Name},
		Credentials:     credentials{key.ID, string(key.Secret), string(key.Token), key.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z")},
		SourceIdentity:  session.SourceIdentity,
	}, nil
}

// conditionKey gives the values of the condition keys that trust policies have.
func (req *assumeRoleRequest) conditionKey(key string) []string {
	switch {
	case key == "sts:externalid" && req.ExternalId != nil:
		return []string{*req.ExternalId}
	case key == "sts:sourceidentity" && req.SourceIdentity != "":
		return []string{req.SourceIdentity}
	}
	return nil
}

// check says whether the parameters can be used, and how long the session is to last.
func (req *assumeRoleRequest) check() (time.Duration, error) {
	life := defaultSession
	if req.DurationSeconds != nil {
		life = time.Duration(min(max(*req.DurationSeconds, 0), 1e9)) * time.Second
	}
	switch {
	case !roleARN.MatchString(req.RoleArn):
		return 0, wrong("RoleArn", "must be of the form acs:ram::ACCOUNT:role/NAME")
	case !sessionName.MatchString(req.RoleSessionName):
		return 0, wrong("RoleSessionName", "has 2 to 64 letters, digits and characters of .@-_")
	case life < shortestSession || life > longestSession:
		return 0, wrong("DurationSeconds", "must be "+inSeconds(shortestSession)+" to "+inSeconds(longestSession))
	case req.Policy != nil && len(*req.Policy) > maxPolicy:
		return 0, openapi.NewFault(http.StatusBadRequest, "InvalidParameter.PolicySize", "the policy has more than "+strconv.Itoa(maxPolicy)+" characters")
	case req.ExternalId != nil && (len(*req.ExternalId) > maxExternalID || !externalID.MatchString(*req.ExternalId)):
		return 0, wrong("ExternalId", "has 2 to 1224 letters, digits and characters of =,.@:/-_+")
	case req.SourceIdentity != "" && !sessionName.MatchString(req.SourceIdentity):
		return 0, wrong("SourceIdentity", "has 2 to 64 letters, digits and characters of .@-_")
	}
	if req.Policy != nil {
		if _, err := policy.ParseRAM(*req.Policy, policy.Session); err != nil {
			return 0, openapi.NewFault(http.StatusBadRequest, "InvalidParameter.PolicyGrammar", err.Error())
		}
	}
	return life, nil
}

// wrong is a parameter that the service has a code of its own for.
func wrong(name, why string) error {
	return openapi.NewFault(http.StatusBadRequest, "InvalidParameter."+name, "the parameter "+name+" "+why)
}

func inSeconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// accountOf gives the account in a role's ARN, where it is one of polymq's; else the caller's own.
func accountOf(arn, own string) string {
	if account := roleARN.FindStringSubmatch(arn)[1]; len(account) == len("000000000000") {
		return account
	}
	return own
}

// roleName gives the name in a role's ARN, of either cloud.
func roleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
