package core

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/polymq/polymq/core/policy"
)

// IdentityKind says what an Identity is.
type IdentityKind string

// The kinds of identities. All are both clouds' at once, with policies of either, but roles: each has a
// trust policy, which is of one cloud.
const (
	User  IdentityKind = "user"
	Group IdentityKind = "group"
	Role  IdentityKind = "role"
)

// Access is what a user may do in its account by the JSON API and the console. Viewer bounds it in the other
// protocols too, where no policies decide.
type Access string

// The accesses, each with all that those before it may do.
const (
	NoAccess Access = ""
	Viewer   Access = "viewer"   // sees everything but bodies of messages and secrets
	Operator Access = "operator" // sees and changes queues, topics and messages
	Admin    Access = "admin"    // manages users, roles, policies and access keys too
)

// Covers says that who has this access may do all that the other allows.
func (a Access) Covers(other Access) bool {
	order := []Access{NoAccess, Viewer, Operator, Admin}
	return slices.Index(order, a) >= slices.Index(order, other)
}

// IdentityName names an identity. Names are told apart without regard to case, and found with it.
type IdentityName struct {
	Account string
	Kind    IdentityKind
	Cloud   string // of a role: AWS or RAM; else ""
	Name    string
}

// Identity is a user, a group or a role.
type Identity struct {
	IdentityName
	ID          string // unique for ever, also where the name is used again: AIDA…, AGPA…, AROA…
	Path        string // "/" or between slashes
	Description string // of groups and roles; of a user what RAM calls its comments
	CreatedAt   time.Time
	Tags        map[string]string
	Trust       string               // of a role: the policy that says who may assume it
	MaxSession  time.Duration        // of a role: how long its sessions may last
	Access      Access               // of a user
	Bodies      bool                 // of a user: a viewer sees bodies of messages too
	Groups      map[string]time.Time // of a user: the groups it is in by ID, and since when
	Attached    map[string]time.Time // policies by Policy.ID, and since when
	Inline      map[string]Inline    // policies that are only the identity's own, by name
	Boundary    string               // Policy.ID of the most that its policies can allow; "" for no bound
	Version     int64                // of this state of it
}

// Inline is a policy that is kept with its identity.
type Inline struct {
	Cloud string `json:"cloud"`
	Text  string `json:"text"`
}

// ListIdentitiesInput asks for a page of an account's identities of one kind, sorted by name.
type ListIdentitiesInput struct {
	Account    string
	Kind       IdentityKind // "": of all kinds
	Cloud      string       // of roles; "": of either
	PathPrefix string
	Group      string // users in the group of this ID
	Policy     string // to which the policy of this ID is attached
	Boundary   string // whose boundary is the policy of this ID
	After      string // the Next of the page before; "" starts
	Limit      int    // 1 to MaxListed
}

// IdentityPage is one page of identities.
type IdentityPage struct {
	Identities []Identity
	Next       string // the After of the next page, "" when this is the last
}

// IdentityStore is the part of a Store that keeps accounts, users, groups, roles and policies.
type IdentityStore interface {
	// CreateIdentity stores an identity with what CreatedAt and Version then are, and its account where that
	// is new. EntityExists, EntityLimit; EntityNotFound where it names a group or a policy that there is not.
	CreateIdentity(ctx context.Context, identity Identity, most int) (Identity, error)
	Identity(ctx context.Context, name IdentityName) (Identity, error) // EntityNotFound
	ListIdentities(ctx context.Context, in ListIdentitiesInput) (IdentityPage, error)
	// SaveIdentity stores a new state of the identity of that ID, whose name may have changed: access keys go
	// with a user. errors as CreateIdentity's, and ErrEntityChanged where identity.Version is not the newest.
	SaveIdentity(ctx context.Context, identity Identity) (Identity, error)
	// DeleteIdentity removes an identity. EntityInUse: a user with lasting access keys, a group with members,
	// unless all is set; and a user with an administrator's key in any case. ErrEntityChanged.
	DeleteIdentity(ctx context.Context, identity Identity, all bool) error

	// Policies are stored as identities are. DeletePolicy: EntityInUse where it is attached or a boundary.
	CreatePolicy(ctx context.Context, policy Policy, most int) (Policy, error)
	Policy(ctx context.Context, name PolicyName) (Policy, error)
	PolicyOfID(ctx context.Context, id string) (Policy, error)
	ListPolicies(ctx context.Context, in ListPoliciesInput) (PolicyPage, error)
	SavePolicy(ctx context.Context, policy Policy) (Policy, error)
	DeletePolicy(ctx context.Context, policy Policy) error

	// CreateAccount stores an account. EntityExists.
	CreateAccount(ctx context.Context, account Account) (Account, error)
	Account(ctx context.Context, id string) (Account, error) // EntityNotFound
	ListAccounts(ctx context.Context, after string, limit int) (AccountPage, error)
	SetAccountAlias(ctx context.Context, id, alias string) (Account, error)  // EntityExists, EntityNotFound
	AccountOfAlias(ctx context.Context, alias string) (id string, err error) // "" for none
	// DeleteAccount removes an account with its identities, policies, access keys, limits, alerts and fault rules. EntityInUse where it
	// has queues or topics.
	DeleteAccount(ctx context.Context, id string) error

	// Grants gives what a key may do, the same pointer while that is the same.
	Grants(ctx context.Context, key *Key) (*Grants, error)
}

// ErrEntityChanged is what a Store answers when the identity or policy it was handed is no longer current.
// The Broker reads it again and repeats the change.
var ErrEntityChanged = errors.New("identity or policy has changed since it was read")

// Bounds of identities, most of them IAM's.
const (
	MaxUsers           = 5000
	MaxGroups          = 300
	MaxRoles           = 1000
	MaxGroupsOfUser    = 10
	MaxAttached        = 10 // policies of one cloud
	MaxUserName        = 64
	MaxRoleName        = 64
	MaxGroupName       = 128
	MaxPath            = 512
	MaxDescription     = 1000
	MaxEntityTags      = 50
	MaxEntityTagKey    = 128
	MaxEntityTagValue  = 256
	MinRoleSession     = time.Hour
	MaxRoleSession     = 12 * time.Hour
	DefaultRoleSession = time.Hour
)

var kinds = map[IdentityKind]struct {
	prefix   string // of IDs
	most     int
	longest  int
	policies int // characters of all its inline policies, white space aside
}{
	User:  {"AIDA", MaxUsers, MaxUserName, 2048},
	Group: {"AGPA", MaxGroups, MaxGroupName, 5120},
	Role:  {"AROA", MaxRoles, MaxRoleName, 10240},
}

var (
	entityName = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]+$`)
	entityPath = regexp.MustCompile(`^/(?:[!-~]*/)?$`)
)

// newEntityID makes a unique id of IAM's form.
func newEntityID(prefix string) string {
	var random [11]byte
	_, _ = rand.Read(random[:]) // never fails
	return prefix + base32.StdEncoding.EncodeToString(random[:])[:17]
}

// CreateIdentity makes a user, a group or a role without policies. InvalidArgument, EntityExists,
// EntityLimit, EntityNotFound, PolicyMalformed.
func (b *Broker) CreateIdentity(ctx context.Context, in Identity) (Identity, error) {
	if in.Path == "" {
		in.Path = "/"
	}
	if in.Kind == Role && in.MaxSession == 0 {
		in.MaxSession = DefaultRoleSession
	}
	if err := in.check(); err != nil {
		return Identity{}, err
	}
	if err := checkDistinct(slices.Collect(maps.Keys(in.Tags))); err != nil {
		return Identity{}, err
	}
	kind := kinds[in.Kind]
	in.ID = newEntityID(kind.prefix)
	return b.store.CreateIdentity(ctx, in, kind.most)
}

// Identity gives an identity. EntityNotFound.
func (b *Broker) Identity(ctx context.Context, name IdentityName) (Identity, error) {
	if name.check() != nil {
		return Identity{}, name.notFound()
	}
	return b.store.Identity(ctx, name)
}

// ListIdentities gives a page of an account's identities. InvalidArgument.
func (b *Broker) ListIdentities(ctx context.Context, in ListIdentitiesInput) (IdentityPage, error) {
	if in.Limit < 1 || in.Limit > MaxListed {
		return IdentityPage{}, Errorf(InvalidArgument, "a page holds 1 to %d entries, asked for %d", MaxListed, in.Limit)
	}
	if !ValidText([]byte(in.PathPrefix)) || !ValidText([]byte(in.After)) {
		return IdentityPage{}, Errorf(InvalidArgument, "a path or a cursor is no valid text")
	}
	return b.store.ListIdentities(ctx, in)
}

// IdentityChange says what is to be different; nil leaves a thing as it is.
type IdentityChange struct {
	Name        *string
	Path        *string
	Description *string
	Trust       *string
	MaxSession  *time.Duration
	Access      *Access
	Bodies      *bool
	Tags        map[string]*string // nil removes a tag
	Boundary    *PolicyName        // the zero name removes it
}

// AlterIdentity changes an identity. Errors as of CreateIdentity.
func (b *Broker) AlterIdentity(ctx context.Context, name IdentityName, change IdentityChange) (Identity, error) {
	if err := checkDistinct(slices.Collect(maps.Keys(change.Tags))); err != nil {
		return Identity{}, err
	}
	var boundary string
	if change.Boundary != nil && *change.Boundary != (PolicyName{}) {
		policy, err := b.attachable(ctx, name, *change.Boundary)
		if err != nil {
			return Identity{}, err
		}
		boundary = policy.ID
	}
	return b.changeIdentity(ctx, name, func(i *Identity) error {
		set(&i.Name, change.Name)
		set(&i.Path, change.Path)
		set(&i.Description, change.Description)
		set(&i.Trust, change.Trust)
		set(&i.MaxSession, change.MaxSession)
		set(&i.Access, change.Access)
		set(&i.Bodies, change.Bodies)
		i.Tags = retagged(i.Tags, change.Tags)
		if change.Boundary != nil {
			i.Boundary = boundary
		}
		return nil
	})
}

// DeleteIdentity removes an identity that nothing depends on: of a user its access keys and its groups, of a
// group its members, of each its policies must be gone, unless all is set, which removes it with them. The access
// keys of an administrator of all accounts must be gone in any case. EntityNotFound, EntityInUse.
func (b *Broker) DeleteIdentity(ctx context.Context, name IdentityName, all bool) error {
	return b.withIdentity(ctx, name, func(i *Identity) error {
		switch {
		case all:
		case len(i.Attached) > 0:
			return Errorf(EntityInUse, "Cannot delete entity, must detach all policies first.")
		case len(i.Inline) > 0:
			return Errorf(EntityInUse, "Cannot delete entity, must delete policies first.")
		case len(i.Groups) > 0:
			return Errorf(EntityInUse, "Cannot delete entity, must remove users from group first.")
		}
		return b.store.DeleteIdentity(ctx, *i, all)
	})
}

// JoinGroup puts a user into a group, which is no error where it is in it. EntityNotFound, EntityLimit.
func (b *Broker) JoinGroup(ctx context.Context, account, user, group string) error {
	joined, err := b.Identity(ctx, IdentityName{Account: account, Kind: Group, Name: group})
	if err != nil {
		return err
	}
	_, err = b.changeIdentity(ctx, IdentityName{Account: account, Kind: User, Name: user}, func(i *Identity) error {
		_, already := i.Groups[joined.ID]
		if !already && len(i.Groups) >= MaxGroupsOfUser {
			return Errorf(EntityLimit, "Cannot exceed quota for GroupsPerUser: %d", MaxGroupsOfUser)
		}
		i.Groups = with(i.Groups, joined.ID)
		return nil
	})
	return err
}

// LeaveGroup takes a user out of a group. EntityNotFound, also where it is not in it.
func (b *Broker) LeaveGroup(ctx context.Context, account, user, group string) error {
	left, err := b.Identity(ctx, IdentityName{Account: account, Kind: Group, Name: group})
	if err != nil {
		return err
	}
	_, err = b.changeIdentity(ctx, IdentityName{Account: account, Kind: User, Name: user}, func(i *Identity) error {
		if _, in := i.Groups[left.ID]; !in {
			return Errorf(EntityNotFound, "User %s is not a member of group %s.", user, group)
		}
		delete(i.Groups, left.ID)
		return nil
	})
	return err
}

// AttachPolicy attaches a policy, which is no error where it is attached. EntityNotFound, EntityLimit.
func (b *Broker) AttachPolicy(ctx context.Context, name IdentityName, policy PolicyName) error {
	attached, err := b.attachable(ctx, name, policy)
	if err != nil {
		return err
	}
	_, err = b.changeIdentity(ctx, name, func(i *Identity) error {
		_, already := i.Attached[attached.ID]
		if !already && i.attachedOf(policy.Cloud) >= MaxAttached {
			return Errorf(EntityLimit, "Cannot exceed quota for PoliciesPer%s: %d", capitalized(string(name.Kind)), MaxAttached)
		}
		i.Attached = with(i.Attached, attached.ID)
		return nil
	})
	return err
}

// attachable gives a policy that an identity can have: one of its account, or one that a cloud brings with it. Those of
// others are as if there were none. EntityNotFound.
func (b *Broker) attachable(ctx context.Context, name IdentityName, policy PolicyName) (Policy, error) {
	if !policy.BuiltIn() && policy.Account != name.Account {
		return Policy{}, Errorf(EntityNotFound, "Policy %s does not exist or is not attachable.", policy.ARN())
	}
	return b.Policy(ctx, policy)
}

// DetachPolicy detaches a policy. EntityNotFound, also where it is not attached.
func (b *Broker) DetachPolicy(ctx context.Context, name IdentityName, policy PolicyName) error {
	_, err := b.changeIdentity(ctx, name, func(i *Identity) error {
		detached, err := b.attachable(ctx, name, policy)
		if err != nil {
			return err
		}
		if _, is := i.Attached[detached.ID]; !is {
			return Errorf(EntityNotFound, "Policy %s was not found.", policy.ARN())
		}
		delete(i.Attached, detached.ID)
		return nil
	})
	return err
}

// PutInlinePolicy sets a policy of the identity's own. EntityNotFound, PolicyMalformed, EntityLimit.
func (b *Broker) PutInlinePolicy(ctx context.Context, name IdentityName, inlineName string, inline Inline) error {
	if !validName(inlineName, MaxPolicyName) {
		return Errorf(InvalidArgument, "a policy's name has 1 to %d letters, digits and characters of _+=,.@-", MaxPolicyName)
	}
	if err := checkPolicyText(inline.Cloud, inline.Text, policy.Identity, MaxPolicyText); err != nil {
		return err
	}
	_, err := b.changeIdentity(ctx, name, func(i *Identity) error {
		i.Inline = maps.Clone(i.Inline)
		if i.Inline == nil {
			i.Inline = map[string]Inline{}
		}
		i.Inline[inlineName] = inline
		used := 0
		for _, p := range i.Inline {
			used += textSize(p.Text)
		}
		if most := kinds[i.Kind].policies; used > most {
			return Errorf(EntityLimit, "Maximum policy size of %d bytes exceeded for %s %s", most, i.Kind, i.Name)
		}
		return nil
	})
	return err
}

// DeleteInlinePolicy removes a policy of the identity's own. EntityNotFound.
func (b *Broker) DeleteInlinePolicy(ctx context.Context, name IdentityName, policy string) error {
	_, err := b.changeIdentity(ctx, name, func(i *Identity) error {
		if _, is := i.Inline[policy]; !is {
			return Errorf(EntityNotFound, "The %s policy with name %s cannot be found.", i.Kind, policy)
		}
		delete(i.Inline, policy)
		return nil
	})
	return err
}

// maxEntityChanges bounds how often a change starts anew because somebody else was faster.
const maxEntityChanges = 16

// withIdentity calls do with the identity, again while it turns out to have changed.
func (b *Broker) withIdentity(ctx context.Context, name IdentityName, do func(*Identity) error) error {
	for range maxEntityChanges {
		identity, err := b.Identity(ctx, name)
		if err != nil {
			return err
		}
		if err := do(&identity); !errors.Is(err, ErrEntityChanged) {
			return err
		}
	}
	return Errorf(Unavailable, "%s %s keeps changing", name.Kind, name.Name)
}

func (b *Broker) changeIdentity(ctx context.Context, name IdentityName, change func(*Identity) error) (changed Identity, err error) {
	err = b.withIdentity(ctx, name, func(i *Identity) error {
		if err := change(i); err != nil {
			return err
		}
		if err := i.check(); err != nil {
			return err
		}
		changed, err = b.store.SaveIdentity(ctx, *i)
		return err
	})
	return changed, err
}

// with adds an id to a set of which each member knows since when it is in. The zero time stands for now.
func with(set map[string]time.Time, id string) map[string]time.Time {
	if _, in := set[id]; in {
		return set
	}
	added := map[string]time.Time{id: {}}
	maps.Copy(added, set)
	return added
}

func (i *Identity) attachedOf(cloud string) (n int) {
	for id := range i.Attached {
		if cloudOfPolicy(id) == cloud {
			n++
		}
	}
	return n
}

// ARN gives the identity's name as its cloud writes it; cloud counts for users and groups.
func (i *Identity) ARN(cloud string) string {
	if i.Kind == Role {
		cloud = i.Cloud
	}
	if cloud == RAM {
		return fmt.Sprintf("acs:ram::%s:%s/%s", i.Account, i.Kind, i.Name)
	}
	return fmt.Sprintf("arn:aws:iam::%s:%s%s%s", i.Account, i.Kind, i.Path, i.Name)
}

func (n IdentityName) notFound() error {
	return Errorf(EntityNotFound, "The %s with name %.128s cannot be found.", n.Kind, strings.ToValidUTF8(n.Name, "�"))
}

func (n IdentityName) check() error {
	kind, known := kinds[n.Kind]
	switch {
	case !known:
		return Errorf(InvalidArgument, "an identity is a user, a group or a role")
	case (n.Kind == Role) != (n.Cloud == AWS || n.Cloud == RAM):
		return Errorf(InvalidArgument, "a role is of AWS or of RAM; users and groups are of both")
	case !IsAccount(n.Account):
		return Errorf(InvalidArgument, "an account has twelve digits")
	case !validName(n.Name, kind.longest):
		return Errorf(InvalidArgument, "a %s's name has 1 to %d letters, digits and characters of _+=,.@-", n.Kind, kind.longest)
	}
	return nil
}

func (i *Identity) check() error {
	if err := i.IdentityName.check(); err != nil {
		return err
	}
	switch {
	case !validPath(i.Path):
		return Errorf(InvalidArgument, "a path begins and ends with a slash and has at most %d printable characters", MaxPath)
	case len(i.Description) > 4*MaxDescription || !ValidText([]byte(i.Description)):
		return Errorf(InvalidArgument, "a description is a text of at most %d characters", MaxDescription)
	case i.Access != NoAccess && i.Access != Viewer && i.Access != Operator && i.Access != Admin:
		return Errorf(InvalidArgument, "access is viewer, operator, admin or nothing")
	case i.Kind != User && (i.Access != NoAccess || i.Bodies):
		return Errorf(InvalidArgument, "only users have access to the JSON API")
	case i.Kind != Role && (i.Trust != "" || i.MaxSession != 0):
		return Errorf(InvalidArgument, "only roles have a trust policy and sessions")
	case i.Kind == Role && (i.MaxSession < MinRoleSession || i.MaxSession > MaxRoleSession || i.MaxSession%time.Second != 0):
		return Errorf(InvalidArgument, "sessions of a role last %v to %v at most", MinRoleSession, MaxRoleSession)
	}
	if i.Kind == Role {
		if err := checkPolicyText(i.Cloud, i.Trust, policy.Trust, MaxTrustText); err != nil {
			return err
		}
	}
	return checkEntityTags(i.Tags)
}

// checkDistinct says whether names of tags differ in more than their case, as those of one identity do. Policies' need not.
func checkDistinct(names []string) error {
	for i, name := range names {
		if slices.ContainsFunc(names[:i], func(other string) bool { return strings.EqualFold(other, name) }) {
			return Errorf(InvalidArgument, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
	}
	return nil
}

// retagged gives an identity's tags after a change, in which nil removes one.
func retagged(tags map[string]string, change map[string]*string) map[string]string {
	for name, value := range change {
		tags = overlaid(tags, map[string]string{name: ""}) // in whatever case it was
		if value == nil {
			delete(tags, name)
		} else {
			tags[name] = *value
		}
	}
	return tags
}

func checkEntityTags(tags map[string]string) error {
	if len(tags) > MaxEntityTags {
		return Errorf(EntityLimit, "Cannot exceed quota for TagsPerEntity: %d", MaxEntityTags)
	}
	for key, value := range tags {
		if key == "" || len([]rune(key)) > MaxEntityTagKey || len([]rune(value)) > MaxEntityTagValue || !ValidText([]byte(key)) || !ValidText([]byte(value)) {
			return Errorf(InvalidArgument, "a tag has a key of 1 to %d characters and a value of up to %d", MaxEntityTagKey, MaxEntityTagValue)
		}
	}
	return nil
}

func validName(name string, longest int) bool {
	return len(name) <= longest && entityName.MatchString(name)
}

func validPath(path string) bool { return len(path) <= MaxPath && entityPath.MatchString(path) }

func capitalized(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// textSize gives how many characters of a policy count: white space does not.
func textSize(text string) (n int) {
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
