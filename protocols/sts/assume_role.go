package sts

import (
	"context"
	"net/http"
	"regexp"

	"github.com/polymq/polymq/core"
)

type assumeRoleRequest struct {
	RoleArn         string
	RoleSessionName string
	DurationSeconds *int
	Policy          *string
	ExternalId      *string
	SourceIdentity  *string
}

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
		return nil, faultf(http.StatusBadRequest, "ValidationError", "%.256s is invalid", req.RoleArn)
	}
	if err := req.check(); err != nil {
		return nil, err
	}
	life, err := duration(req.DurationSeconds, defaultRole, longestRole)
	if err != nil {
		return nil, err
	}
	if c.Key != nil && c.Key.Session.Role != "" && life > longestChained {
		return nil, faultf(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	account := role[1]
	if c.Verified && account != c.Account && !c.Key.Admin { // no trust policy says otherwise
		who, _ := c.identity()
		return nil, faultf(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", who, req.RoleArn)
	}
	session := core.Session{Role: req.RoleArn, Name: req.RoleSessionName, Policy: text(req.Policy), SourceIdentity: text(req.SourceIdentity)}
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

func (req *assumeRoleRequest) check() error {
	if err := checkName(req.RoleSessionName, "roleSessionName", 64); err != nil {
		return err
	}
	if req.SourceIdentity != nil {
		if err := checkName(*req.SourceIdentity, "sourceIdentity", 64); err != nil {
			return err
		}
	}
	if req.ExternalId != nil && (len(*req.ExternalId) > maxExternalID || !externalID.MatchString(*req.ExternalId)) {
		return faultf(http.StatusBadRequest, "ValidationError", `1 validation error detected: Value at 'externalId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@:\/-]* and have 2 to 1224 characters`)
	}
	return checkPolicy(req.Policy)
}
