package api

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

type listAuditRequest struct {
	Account  string    `query:"account" pattern:"^[0-9]{12}$" doc:"Only calls in this account; without it those of all, and of callers who are not known"`
	From     time.Time `query:"from" doc:"Events from this time on"`
	To       time.Time `query:"to" doc:"Events before this time"`
	User     string    `query:"user" maxLength:"2048" doc:"Name of a user, access key id, or ARN of who called"`
	Action   string    `query:"action" maxLength:"128" doc:"Name of the action, CreateQueue"`
	Resource string    `query:"resource" maxLength:"2048" doc:"Name or ARN of what was called"`
	Failed   bool      `query:"failed" doc:"Only calls that went wrong"`
	Changes  bool      `query:"changes" doc:"Only calls that were to change something"`
	Format   string    `query:"format" enum:"cloudtrail,actiontrail" default:"cloudtrail" doc:"Whose names the fields have"`
	Cursor   int64     `query:"cursor" minimum:"0" doc:"The next_cursor of the page before"`
	Limit    int       `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most events to show"`
}

type listAuditResponse struct {
	Body struct {
		Events     []any  `json:"events" nullable:"false" doc:"The newest first, in the form of AWS CloudTrail or of Alibaba ActionTrail"`
		NextCursor string `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// listAudit shows the audit log.
func (s *Server) listAudit(ctx context.Context, req *listAuditRequest) (*listAuditResponse, error) {
	if x := exchangeOf(ctx); !x.grants.Everywhere {
		req.Account = x.caller.Account
	}
	page, err := s.broker.ListAudit(ctx, core.ListAuditInput{
		Account: req.Account, From: req.From, To: req.To, User: req.User, Action: req.Action, Resource: req.Resource,
		Failed: req.Failed, Changes: req.Changes, Before: req.Cursor, Limit: req.Limit,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listAuditResponse
	resp.Body.Events = make([]any, len(page.Events))
	for i := range page.Events {
		if req.Format == "actiontrail" {
			resp.Body.Events[i] = actionTrailEvent(&page.Events[i])
		} else {
			resp.Body.Events[i] = cloudTrailEvent(&page.Events[i])
		}
	}
	if page.Next != 0 {
		resp.Body.NextCursor = strconv.FormatInt(page.Next, 10)
	}
	return &resp, nil
}

// auditSource gives the name of a service as both trails write it.
func auditSource(e *core.AuditEvent) string {
	switch e.Source {
	case "sqs", "sns", "sts", "iam":
		return e.Source + ".amazonaws.com"
	case "mns", "ram":
		return e.Source + ".aliyuncs.com"
	case "aliyunsts":
		return "sts.aliyuncs.com"
	case "dybase":
		return "dybaseapi.aliyuncs.com"
	case "smq":
		return "mns-open.aliyuncs.com"
	}
	return e.Source + ".polymq"
}

// address gives where a call came from.
func auditAddress(e *core.AuditEvent) string {
	if e.Address.IsValid() {
		return e.Address.String()
	}
	return auditSource(e) // as CloudTrail has it of what a service does by itself
}

// callersAccount gives the account of who called, which need not be the one that the call was about.
func callersAccount(e *core.AuditEvent) string {
	const account = 4 // arn:aws:iam::ACCOUNT:user/ci
	if parts := strings.Split(e.Principal, ":"); len(parts) > account && core.IsAccount(parts[account]) {
		return parts[account]
	}
	return e.Account
}

type cloudTrail struct {
	Version      string               `json:"eventVersion"`
	Identity     cloudTrailIdentity   `json:"userIdentity"`
	Time         time.Time            `json:"eventTime"`
	Source       string               `json:"eventSource"`
	Name         string               `json:"eventName"`
	Region       string               `json:"awsRegion"`
	Address      string               `json:"sourceIPAddress"`
	UserAgent    string               `json:"userAgent"`
	ErrorCode    string               `json:"errorCode,omitempty"`
	ErrorMessage string               `json:"errorMessage,omitempty"`
	Parameters   json.RawMessage      `json:"requestParameters"`
	Response     json.RawMessage      `json:"responseElements"`
	RequestID    string               `json:"requestID"`
	EventID      string               `json:"eventID"`
	ReadOnly     bool                 `json:"readOnly"`
	Resources    []cloudTrailResource `json:"resources,omitempty"`
	Type         string               `json:"eventType"`
	Management   bool                 `json:"managementEvent"`
	Account      string               `json:"recipientAccountId,omitempty"`
	Category     string               `json:"eventCategory"`
}

type cloudTrailIdentity struct {
	Type        string `json:"type"`
	ARN         string `json:"arn,omitempty"`
	Account     string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	User        string `json:"userName,omitempty"`
	InvokedBy   string `json:"invokedBy,omitempty"`
}

type cloudTrailResource struct {
	ARN     string `json:"ARN"`
	Account string `json:"accountId,omitempty"`
}

// cloudTrailTypes are the kinds of principals as CloudTrail calls them.
var cloudTrailTypes = map[string]string{
	core.PrincipalAccount: "Root", core.PrincipalUser: "IAMUser", core.PrincipalRole: "AssumedRole", core.PrincipalFederated: "FederatedUser",
	core.PrincipalService: "AWSService", "": "Unknown",
}

func cloudTrailEvent(e *core.AuditEvent) cloudTrail {
	event := cloudTrail{
		Version: "1.08", Time: e.At.UTC(), Source: auditSource(e), Name: e.Action, Region: e.Region, Address: auditAddress(e), UserAgent: e.UserAgent,
		Identity:  cloudTrailIdentity{Type: cloudTrailTypes[e.Identity], ARN: e.Principal, Account: callersAccount(e), AccessKeyID: e.AccessKeyID, User: e.User},
		ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorText, Parameters: e.Parameters, Response: e.Response, RequestID: e.RequestID, EventID: e.ID,
		ReadOnly: e.ReadOnly, Type: "AwsApiCall", Management: true, Account: e.Account, Category: "Management",
	}
	if e.Identity == core.PrincipalService {
		event.Type, event.Identity.InvokedBy = "AwsServiceEvent", auditSource(e)
	}
	for _, resource := range e.Resources {
		event.Resources = append(event.Resources, cloudTrailResource{ARN: resource, Account: e.Account})
	}
	return event
}

type actionTrail struct {
	EventID      string              `json:"eventId"`
	Version      string              `json:"eventVersion"`
	Time         time.Time           `json:"eventTime"`
	Type         string              `json:"eventType"`
	Category     string              `json:"eventCategory"`
	Source       string              `json:"eventSource"`
	Service      string              `json:"serviceName"`
	Name         string              `json:"eventName"`
	ReadWrite    string              `json:"eventRW"`
	Region       string              `json:"acsRegion"`
	Address      string              `json:"sourceIpAddress"`
	UserAgent    string              `json:"userAgent"`
	Identity     actionTrailIdentity `json:"userIdentity"`
	Parameters   json.RawMessage     `json:"requestParameters"`
	Response     json.RawMessage     `json:"responseElements"`
	Resources    map[string][]string `json:"referencedResources,omitempty"`
	RequestID    string              `json:"requestId"`
	ErrorCode    string              `json:"errorCode,omitempty"`
	ErrorMessage string              `json:"errorMessage,omitempty"`
	Account      string              `json:"recipientAccountId,omitempty"`
}

type actionTrailIdentity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId,omitempty"`
	Account     string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	User        string `json:"userName,omitempty"`
}

// actionTrailTypes are the kinds of principals as ActionTrail calls them.
var actionTrailTypes = map[string]string{
	core.PrincipalAccount: "root-account", core.PrincipalUser: "ram-user", core.PrincipalRole: "assumed-role", core.PrincipalFederated: "saml-user",
	core.PrincipalService: "system", "": "unknown",
}

func actionTrailEvent(e *core.AuditEvent) actionTrail {
	event := actionTrail{
		EventID: e.ID, Version: "1", Time: e.At.UTC(), Type: "ApiCall", Category: "Management", Source: auditSource(e), Service: e.Source, Name: e.Action,
		ReadWrite: "Write", Region: e.Region, Address: auditAddress(e), UserAgent: e.UserAgent,
		Identity:   actionTrailIdentity{Type: actionTrailTypes[e.Identity], PrincipalID: e.Principal, Account: callersAccount(e), AccessKeyID: e.AccessKeyID, User: e.User},
		Parameters: e.Parameters, Response: e.Response, RequestID: e.RequestID, ErrorCode: e.ErrorCode, ErrorMessage: e.ErrorText, Account: e.Account,
	}
	if e.ReadOnly {
		event.ReadWrite = "Read"
	}
	if e.Identity == core.PrincipalService {
		event.Type = "AliyunServiceEvent"
	}
	if len(e.Resources) > 0 {
		event.Resources = map[string][]string{"resource": e.Resources}
	}
	return event
}
