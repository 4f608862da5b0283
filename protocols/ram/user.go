package ram

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

// user is a user on the wire.
type user struct {
	UserId      string `json:",omitempty"`
	UserName    string
	DisplayName string
	MobilePhone string `json:",omitempty"`
	Email       string `json:",omitempty"`
	Comments    string `json:",omitempty"`
	CreateDate  string `json:",omitempty"`
	UpdateDate  string `json:",omitempty"`
	JoinDate    string `json:",omitempty"`
	AttachDate  string `json:",omitempty"`
}

type ofUser struct {
	RequestId string
	User      user
}

type users struct{ User []user }

// contact is what only RAM has of a user.
type contact struct{ DisplayName, MobilePhone, Email string }

// contactOf names the record of a user's contact.
func contactOf(i *core.Identity) core.RecordName {
	return core.RecordName{Account: i.Account, Kind: "ram.user", Name: i.ID}
}

func (s *Server) contact(ctx context.Context, i *core.Identity) (c contact, err error) {
	text, ok, err := s.broker.Record(ctx, contactOf(i))
	if err == nil && ok {
		err = json.Unmarshal([]byte(text), &c)
	}
	if err != nil {
		return contact{}, fmt.Errorf("read the contact of a user: %w", err)
	}
	return c, nil
}

func (s *Server) setContact(ctx context.Context, i *core.Identity, c contact) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encode the contact of a user: %w", err)
	}
	if _, created, err := s.broker.CreateRecord(ctx, contactOf(i), string(text)); err != nil || created {
		return err
	}
	_, err = s.broker.SetRecord(ctx, contactOf(i), string(text))
	return err
}

func encodeUser(i *core.Identity, c contact) user {
	return user{
		UserId: openapi.ID(i.ID), UserName: i.Name, DisplayName: c.DisplayName, MobilePhone: c.MobilePhone, Email: c.Email,
		Comments: i.Description, CreateDate: stamp(i.CreatedAt), UpdateDate: stamp(i.CreatedAt),
	}
}

func (s *Server) showUser(ctx context.Context, c *openapi.Call, i core.Identity) (*ofUser, error) {
	contact, err := s.contact(ctx, &i)
	return &ofUser{c.ID(), encodeUser(&i, contact)}, err
}

func userName(c *openapi.Call, name string) core.IdentityName {
	return core.IdentityName{Account: c.Account, Kind: core.User, Name: name}
}

type createUserRequest struct {
	UserName    string `required:"true"`
	DisplayName string
	MobilePhone string
	Email       string
	Comments    string
}

func (s *Server) createUser(ctx context.Context, c *openapi.Call, in *createUserRequest) (*ofUser, error) {
	more := contact{in.DisplayName, in.MobilePhone, in.Email}
	err := cmp.Or(checkName("UserName", in.UserName, maxName, nameForm), more.check(""), checkLength("Comments", in.Comments, maxComments))
	if err != nil {
		return nil, err
	}
	made, err := s.broker.CreateIdentity(ctx, core.Identity{IdentityName: userName(c, in.UserName), Description: in.Comments})
	if err != nil {
		return nil, of("User", err)
	}
	if more != (contact{}) {
		if err := s.setContact(ctx, &made, more); err != nil {
			return nil, err
		}
	}
	return s.showUser(ctx, c, made)
}

// set changes what a request gives.
func (c *contact) set(in *updateUserRequest) {
	for _, change := range []struct{ to, from *string }{{&c.DisplayName, in.NewDisplayName}, {&c.MobilePhone, in.NewMobilePhone}, {&c.Email, in.NewEmail}} {
		if change.from != nil {
			*change.to = *change.from
		}
	}
}

type userRequest struct {
	UserName string `required:"true"`
}

func (s *Server) getUser(ctx context.Context, c *openapi.Call, in *userRequest) (*ofUser, error) {
	found, err := s.broker.Identity(ctx, userName(c, in.UserName))
	if err != nil {
		return nil, of("User", err)
	}
	return s.showUser(ctx, c, found)
}

type updateUserRequest struct {
	UserName       string `required:"true"`
	NewUserName    *string
	NewDisplayName *string
	NewMobilePhone *string
	NewEmail       *string
	NewComments    *string
}

func (s *Server) updateUser(ctx context.Context, c *openapi.Call, in *updateUserRequest) (*ofUser, error) {
	var given contact
	given.set(in)
	err := cmp.Or(checkNewName("NewUserName", in.UserName, in.NewUserName, nameForm), given.check("New"), checkNewLength("NewComments", in.NewComments, maxComments))
	if err != nil {
		return nil, err
	}
	changed, err := s.broker.AlterIdentity(ctx, userName(c, in.UserName), core.IdentityChange{Name: in.NewUserName, Description: in.NewComments})
	if err != nil {
		return nil, of("User", err)
	}
	before, err := s.contact(ctx, &changed)
	if err != nil {
		return nil, err
	}
	after := before
	after.set(in)
	if after != before {
		if err := s.setContact(ctx, &changed, after); err != nil {
			return nil, err
		}
	}
	return &ofUser{c.ID(), encodeUser(&changed, after)}, nil
}

func (s *Server) deleteUser(ctx context.Context, c *openapi.Call, in *userRequest) (*plain, error) {
	found, err := s.broker.Identity(ctx, userName(c, in.UserName))
	if err != nil {
		return nil, of("User", err)
	}
	if err := s.remove(ctx, &found); err != nil {
		return nil, err
	}
	_, err = s.broker.DeleteRecord(ctx, contactOf(&found))
	return &plain{c.ID()}, err
}

// remove deletes an identity. What is in the way of that is told in the code.
func (s *Server) remove(ctx context.Context, i *core.Identity) error {
	err := s.broker.DeleteIdentity(ctx, i.IdentityName, false)
	what := nounOf[i.Kind]
	if core.CodeOf(err) == core.EntityInUse {
		switch {
		case len(i.Attached) > 0 || len(i.Inline) > 0:
			what += ".Policy"
		case len(i.Groups) > 0:
			what += ".Group"
		case i.Kind == core.Group:
			what += ".User"
		default:
			what += ".AccessKey"
		}
	}
	return of(what, err)
}

// listRequest asks for a page.
type listRequest struct {
	Marker   string
	MaxItems *int
}

const defaultItems = 100

// limit gives how many entries are asked for.
func (l *listRequest) limit() (int, error) {
	switch {
	case l.MaxItems == nil:
		return defaultItems, nil
	case *l.MaxItems < 1 || *l.MaxItems > core.MaxListed:
		return 0, openapi.InvalidParameter("MaxItems", fmt.Sprintf("must be 1 to %d", core.MaxListed))
	}
	return *l.MaxItems, nil
}

// list gives a page of identities.
func (s *Server) list(ctx context.Context, c *openapi.Call, l *listRequest, in core.ListIdentitiesInput) (core.IdentityPage, error) {
	limit, err := l.limit()
	if err != nil {
		return core.IdentityPage{}, err
	}
	in.Account, in.After, in.Limit = c.Account, l.Marker, limit
	return s.broker.ListIdentities(ctx, in)
}

type listUsersAnswer struct {
	RequestId   string
	IsTruncated bool
	Marker      string `json:",omitempty"`
	Users       users
}

func (s *Server) listUsers(ctx context.Context, c *openapi.Call, in *listRequest) (*listUsersAnswer, error) {
	return s.usersOf(ctx, c, in, core.ListIdentitiesInput{Kind: core.User}, "")
}

// usersOf gives a page of users, with the time at which they joined the group of that ID.
func (s *Server) usersOf(ctx context.Context, c *openapi.Call, l *listRequest, in core.ListIdentitiesInput, group string) (*listUsersAnswer, error) {
	page, err := s.list(ctx, c, l, in)
	if err != nil {
		return nil, err
	}
	answer := &listUsersAnswer{RequestId: c.ID(), IsTruncated: page.Next != "", Marker: page.Next, Users: users{[]user{}}}
	for i := range page.Identities {
		contact, err := s.contact(ctx, &page.Identities[i])
		if err != nil {
			return nil, err
		}
		shown := encodeUser(&page.Identities[i], contact)
		if group != "" {
			shown.JoinDate = stamp(page.Identities[i].Groups[group])
		}
		answer.Users.User = append(answer.Users.User, shown)
	}
	return answer, nil
}

// maxUserKeys is how many access keys a user may have.
const maxUserKeys = 2

// accessKey is an access key on the wire.
type accessKey struct {
	AccessKeyId     string
	AccessKeySecret string `json:",omitempty"`
	Status          string
	CreateDate      string
}

func encodeKey(k *core.Key) accessKey {
	status := "Active"
	if k.Disabled {
		status = "Inactive"
	}
	return accessKey{AccessKeyId: k.ID, Status: status, CreateDate: stamp(k.CreatedAt)}
}

type keysRequest struct{ UserName string }

// owner gives the user that is meant, the caller's own where none is named; "" is the account. A session is
// no user, and does not stand for the account either.
func (s *Server) owner(ctx context.Context, c *openapi.Call, named string) (string, error) {
	switch {
	case named != "":
	case c.Key == nil:
		return "", nil
	case c.Key.Session.Role != "" || c.Key.Session.Name != "":
		return "", openapi.Missing("UserName")
	default:
		return c.Key.User, nil
	}
	_, err := s.broker.Identity(ctx, userName(c, named))
	return named, of("User", err)
}

// keysOf gives the lasting keys of a user, or with "" of the account itself.
func (s *Server) keysOf(ctx context.Context, c *openapi.Call, owner string) (keys []core.Key, err error) {
	for in := (core.ListKeysInput{Account: c.Account, User: owner, Limit: core.MaxListed}); ; {
		page, err := s.broker.ListKeys(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, key := range page.Keys {
			if key.User == owner {
				keys = append(keys, key)
			}
		}
		if in.After = page.Next; page.Next == "" {
			return keys, nil
		}
	}
}

type ofAccessKey struct {
	RequestId string
	AccessKey accessKey
}

func (s *Server) createAccessKey(ctx context.Context, c *openapi.Call, in *keysRequest) (*ofAccessKey, error) {
	owner, err := s.owner(ctx, c, in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysOf(ctx, c, owner)
	switch {
	case err != nil:
		return nil, err
	case len(keys) >= maxUserKeys:
		return nil, of("User.AccessKey", core.Errorf(core.EntityLimit, "The count of access key for the user(%s) beyond the current limits.", owner))
	}
	made, err := s.broker.CreateKey(ctx, core.NewKey{Account: c.Account, User: owner})
	if err != nil {
		return nil, err
	}
	shown := encodeKey(&made)
	shown.AccessKeySecret = string(made.Secret)
	return &ofAccessKey{c.ID(), shown}, nil
}

type listAccessKeysAnswer struct {
	RequestId  string
	AccessKeys struct{ AccessKey []accessKey }
}

func (s *Server) listAccessKeys(ctx context.Context, c *openapi.Call, in *keysRequest) (*listAccessKeysAnswer, error) {
	owner, err := s.owner(ctx, c, in.UserName)
	if err != nil {
		return nil, err
	}
	keys, err := s.keysOf(ctx, c, owner)
	answer := &listAccessKeysAnswer{RequestId: c.ID()}
	answer.AccessKeys.AccessKey = []accessKey{}
	for i := range keys {
		answer.AccessKeys.AccessKey = append(answer.AccessKeys.AccessKey, encodeKey(&keys[i]))
	}
	return answer, err
}

type accessKeyRequest struct {
	UserName        string
	UserAccessKeyId string `required:"true"`
}

// checkKey says whether a key is the user's. Those of others are as if there were none, and so are those of who
// administers all accounts to those who do not.
func (s *Server) checkKey(ctx context.Context, c *openapi.Call, in *accessKeyRequest) error {
	owner, err := s.owner(ctx, c, in.UserName)
	if err != nil {
		return err
	}
	key, err := s.broker.Key(ctx, in.UserAccessKeyId)
	if core.CodeOf(err) == core.KeyNotFound || err == nil && (key.Account != c.Account || key.User != owner || key.Temporary() || key.Admin && c.Key != nil && !c.Key.Admin) {
		return of("User.AccessKey", core.Errorf(core.KeyNotFound, "The access key does not exist."))
	}
	return err
}

type updateAccessKeyRequest struct {
	accessKeyRequest
	Status string `required:"true"`
}

func (s *Server) updateAccessKey(ctx context.Context, c *openapi.Call, in *updateAccessKeyRequest) (*plain, error) {
	if in.Status != "Active" && in.Status != "Inactive" {
		return nil, openapi.InvalidParameter("Status", "must be Active or Inactive")
	}
	err := s.checkKey(ctx, c, &in.accessKeyRequest)
	if err == nil {
		_, err = s.broker.DisableKey(ctx, in.UserAccessKeyId, in.Status == "Inactive")
	}
	return &plain{c.ID()}, err
}

func (s *Server) deleteAccessKey(ctx context.Context, c *openapi.Call, in *accessKeyRequest) (*plain, error) {
	err := s.checkKey(ctx, c, in)
	if err == nil {
		err = s.broker.DeleteKey(ctx, in.UserAccessKeyId)
	}
	return &plain{c.ID()}, err
}
