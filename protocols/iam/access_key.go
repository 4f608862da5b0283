package iam

import (
	"context"

	"github.com/polymq/polymq/core"
)

// maxUserKeys is how many access keys a user may have.
const maxUserKeys = 2

// accessKey is an access key on the wire.
type accessKey struct {
	UserName        string
	AccessKeyId     string
	Status          string
	SecretAccessKey string
	CreateDate      string
}

type ofAccessKey struct{ AccessKey accessKey }

func encodeKey(k *core.Key) accessKey {
	status := "Active"
	if k.Disabled {
		status = "Inactive"
	}
	return accessKey{UserName: k.User, AccessKeyId: k.ID, Status: status, CreateDate: stamp(k.CreatedAt)}
}

type createAccessKeyRequest struct{ UserName string }

// createAccessKey makes a key of a user, of the caller's where none is named.
func (s *Server) createAccessKey(ctx context.Context, c *call, in *createAccessKeyRequest) (*ofAccessKey, error) {
	owner, err := c.user(in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysOf(ctx, c, owner)
	switch {
	case err != nil:
		return nil, err
	case len(keys) >= maxUserKeys:
		return nil, core.Errorf(core.EntityLimit, "Cannot exceed quota for AccessKeysPerUser: %d", maxUserKeys)
	}
	made, err := s.broker.CreateKey(ctx, core.NewKey{Account: c.Account, User: owner})
	if err != nil {
		return nil, err
	}
	out := encodeKey(&made)
	out.SecretAccessKey = string(made.Secret)
	return &ofAccessKey{out}, nil
}

// keysOf gives the lasting keys of a user, or with "" of the account itself. EntityNotFound.
func (s *Server) keysOf(ctx context.Context, c *call, owner string) ([]core.Key, error) {
	if owner != "" {
		if _, err := s.broker.Identity(ctx, core.IdentityName{Account: c.Account, Kind: core.User, Name: owner}); err != nil {
			return nil, err
		}
	}
	var keys []core.Key
	for list := (core.ListKeysInput{Account: c.Account, User: owner, Limit: core.MaxListed}); ; {
		found, err := s.broker.ListKeys(ctx, list)
		if err != nil {
			return nil, err
		}
		for _, key := range found.Keys {
			if key.User == owner {
				keys = append(keys, key)
			}
		}
		if list.After = found.Next; found.Next == "" {
			return keys, nil
		}
	}
}

type listAccessKeysRequest struct {
	UserName string
	page
}

type listAccessKeysResult struct {
	AccessKeyMetadata []accessKey `query:"AccessKeyMetadata.member"`
	paged
}

func (s *Server) listAccessKeys(ctx context.Context, c *call, in *listAccessKeysRequest) (*listAccessKeysResult, error) {
	owner, err := c.user(in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysOf(ctx, c, owner)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(keys, &in.page, func(k core.Key) string { return k.ID })
	out := &listAccessKeysResult{paged: next}
	for i := range part {
		out.AccessKeyMetadata = append(out.AccessKeyMetadata, encodeKey(&part[i]))
	}
	return out, err
}

type updateAccessKeyRequest struct{ UserName, AccessKeyId, Status string }

func (s *Server) updateAccessKey(ctx context.Context, c *call, in *updateAccessKeyRequest) (*none, error) {
	if in.Status != "Active" && in.Status != "Inactive" {
		return nil, invalid("1 validation error detected: Value '%.64s' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]", in.Status)
	}
	err := s.checkKey(ctx, c, in.UserName, in.AccessKeyId)
	if err == nil {
		_, err = s.broker.DisableKey(ctx, in.AccessKeyId, in.Status == "Inactive")
	}
	return &none{}, err
}

type deleteAccessKeyRequest struct{ UserName, AccessKeyId string }

func (s *Server) deleteAccessKey(ctx context.Context, c *call, in *deleteAccessKeyRequest) (*none, error) {
	err := s.checkKey(ctx, c, in.UserName, in.AccessKeyId)
	if err == nil {
		err = s.broker.DeleteKey(ctx, in.AccessKeyId)
	}
	return &none{}, err
}

// spares says that a key is of who administers all accounts, and so the affair of those who do.
func (c *call) spares(key *core.Key) bool { return key.Admin && c.Key != nil && !c.Key.Admin }

// checkKey says whether a key is the user's. Those of others are as if there were none.
func (s *Server) checkKey(ctx context.Context, c *call, named, id string) error {
	if id == "" {
		return required("accessKeyId")
	}
	owner, err := c.user(named)
	if err != nil {
		return err
	}
	key, err := s.broker.Key(ctx, id)
	if core.CodeOf(err) == core.KeyNotFound || err == nil && (key.Account != c.Account || key.User != owner || key.Temporary() || c.spares(key)) {
		return notFound("The Access Key with id %.128s cannot be found.", id)
	}
	return err
}

type getAccessKeyLastUsedRequest struct{ AccessKeyId string }

type accessKeyLastUsed struct{ ServiceName, Region string }

type getAccessKeyLastUsedResult struct {
	UserName          string
	AccessKeyLastUsed accessKeyLastUsed
}

// getAccessKeyLastUsed tells whose key it is. When it was used, the audit log knows of what it managed.
func (s *Server) getAccessKeyLastUsed(ctx context.Context, c *call, in *getAccessKeyLastUsedRequest) (*getAccessKeyLastUsedResult, error) {
	key, err := s.broker.Key(ctx, in.AccessKeyId)
	if core.CodeOf(err) == core.KeyNotFound || err == nil && (key.Account != c.Account || key.Temporary()) {
		return nil, notFound("The Access Key with id %.128s cannot be found.", in.AccessKeyId)
	}
	if err != nil {
		return nil, err
	}
	return &getAccessKeyLastUsedResult{key.User, accessKeyLastUsed{"N/A", "N/A"}}, nil
}
