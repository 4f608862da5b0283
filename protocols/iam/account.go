package iam

import (
	"context"

	"github.com/polymq/polymq/core"
)

type aliasRequest struct{ AccountAlias string }

func (s *Server) createAccountAlias(ctx context.Context, c *call, in *aliasRequest) (*none, error) {
	if in.AccountAlias == "" {
		return nil, required("accountAlias")
	}
	_, err := s.broker.SetAccountAlias(ctx, c.Account, in.AccountAlias)
	if core.CodeOf(err) == core.EntityNotFound { // not known yet
		_, err = s.broker.CreateAccount(ctx, c.Account, in.AccountAlias)
	}
	return &none{}, err
}

func (s *Server) deleteAccountAlias(ctx context.Context, c *call, in *aliasRequest) (*none, error) {
	account, err := s.broker.Account(ctx, c.Account)
	if core.CodeOf(err) == core.EntityNotFound || err == nil && (account.Alias == "" || account.Alias != in.AccountAlias) {
		return nil, notFound("The account alias %.64s cannot be found.", in.AccountAlias)
	}
	if err == nil {
		_, err = s.broker.SetAccountAlias(ctx, c.Account, "")
	}
	return &none{}, err
}

type listAccountAliasesResult struct {
	AccountAliases []string `query:"AccountAliases.member"`
	IsTruncated    bool
}

func (s *Server) listAccountAliases(ctx context.Context, c *call, _ *page) (*listAccountAliasesResult, error) {
	account, err := s.broker.Account(ctx, c.Account)
	out := &listAccountAliasesResult{}
	switch {
	case core.CodeOf(err) == core.EntityNotFound, err == nil && account.Alias == "":
		return out, nil
	case err != nil:
		return nil, err
	}
	out.AccountAliases = []string{account.Alias}
	return out, nil
}

// summaryEntry is one of the numbers of an account.
type summaryEntry struct {
	Key   string `query:"key"`
	Value int    `query:"value"`
}

type getAccountSummaryResult struct {
	SummaryMap []summaryEntry `query:"SummaryMap.entry"`
}

func (s *Server) getAccountSummary(ctx context.Context, c *call, _ *struct{}) (*getAccountSummaryResult, error) {
	out := &getAccountSummaryResult{}
	for _, of := range []struct {
		name, quota string
		kind        core.IdentityKind
		most        int
	}{
		{"Users", "UsersQuota", core.User, core.MaxUsers},
		{"Groups", "GroupsQuota", core.Group, core.MaxGroups},
		{"Roles", "RolesQuota", core.Role, core.MaxRoles},
	} {
		n := 0
		for in := (&listRequest{page: page{MaxItems: ptr(core.MaxListed)}}); ; {
			found, err := s.list(ctx, c, of.kind, in)
			if err != nil {
				return nil, err
			}
			n += len(found.Identities)
			if in.Marker = found.Next; found.Next == "" {
				break
			}
		}
		out.SummaryMap = append(out.SummaryMap, summaryEntry{of.name, n}, summaryEntry{of.quota, of.most})
	}
	out.SummaryMap = append(out.SummaryMap,
		summaryEntry{"PoliciesQuota", core.MaxPolicies}, summaryEntry{"PolicySizeQuota", core.MaxPolicyText}, summaryEntry{"VersionsPerPolicyQuota", core.MaxPolicyVersions},
		summaryEntry{"AccessKeysPerUserQuota", maxUserKeys}, summaryEntry{"GroupsPerUserQuota", core.MaxGroupsOfUser},
		summaryEntry{"AttachedPoliciesPerUserQuota", core.MaxAttached}, summaryEntry{"AttachedPoliciesPerGroupQuota", core.MaxAttached},
		summaryEntry{"AttachedPoliciesPerRoleQuota", core.MaxAttached})
	return out, nil
}

func ptr[T any](value T) *T { return &value }
