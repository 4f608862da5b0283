package core

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
)

// The clouds whose policies are kept, each in its own language.
const (
	AWS = "aws" // IAM's: "Version": "2012-10-17"
	RAM = "ram" // Alibaba's: "Version": "1"
)

// Kinds of principals, as policies tell them apart.
const (
	PrincipalAccount   = "account"   // the account itself, which AWS calls its root user
	PrincipalUser      = "user"      // a user, also by a session of GetSessionToken
	PrincipalRole      = "role"      // a session of a role
	PrincipalFederated = "federated" // a federated user
)

// Grants is all that bounds or allows what an access key may do. A Store gives the same pointer as long as
// nothing of it changed, so that whoever evaluates may keep its own form of it beside; nobody changes it.
type Grants struct {
	Account   string
	Kind      string // PrincipalAccount …
	Principal string // ARN: arn:aws:iam::A:root, …:user/PATH/NAME, arn:aws:sts::A:assumed-role/NAME/SESSION, …:federated-user/NAME
	RAM       string // the same as RAM writes it: acs:ram::A:root, acs:ram::A:user/NAME, acs:ram::A:assumed-role/NAME/SESSION
	UserID    string // aws:userid
	User      string // name of the user, whose session this may be; "" for the account and roles
	UserARN   string // of that user, with its path
	Role      string // ARN of the role of a session, with its path
	Tags      map[string]string

	// Root: the account's own key, or an administrator's. It may do all in its account, whatever
	// policies say of users; a session's policies bound it nevertheless.
	Root     bool
	Identity []GrantedPolicy // the principal's own, attached and inline, and its groups'
	Boundary *GrantedPolicy  // nil: none
	Session  []GrantedPolicy // that the session was asked to be bounded by, all together; nil: none

	// What the key may do by the JSON API and the console, whatever policies say.
	Access     Access
	Bodies     bool // it sees bodies of messages
	Everywhere bool // in all accounts: an administrator's key
}

// GrantedPolicy is a policy as it counts for one principal.
type GrantedPolicy struct {
	Name  string
	ARN   string // "" of one that is only its principal's own
	From  string // "user/NAME", "group/NAME", "role/NAME", "session"
	Cloud string // AWS or RAM: the language of Text
	Text  string
}

// Grants gives what the key may do. nil is nobody's key and is granted nothing. What changes on any server
// is seen on all within a second.
func (b *Broker) Grants(ctx context.Context, key *Key) (*Grants, error) {
	if key == nil {
		return &Grants{}, nil
	}
	return b.store.Grants(ctx, key)
}

// GrantsOf gives what a key is granted, as far as the key itself tells: not the policies that are kept for
// its user, its role or its session.
func GrantsOf(key *Key) *Grants {
	g := &Grants{Account: key.Account, User: key.User, Role: key.Session.Role, UserID: key.Account}
	iam, sts, ram := "arn:aws:iam::"+key.Account+":", "arn:aws:sts::"+key.Account+":", "acs:ram::"+key.Account+":"
	switch session := key.Session; {
	case session.Role != "":
		name := session.Role[strings.LastIndexByte(session.Role, '/')+1:]
		g.Kind, g.Principal, g.RAM = PrincipalRole, sts+"assumed-role/"+name+"/"+session.Name, ram+"assumed-role/"+name+"/"+session.Name
		g.UserID, g.Tags = session.RoleID+":"+session.Name, session.Tags
	case session.Name != "":
		g.Kind, g.Principal, g.RAM = PrincipalFederated, sts+"federated-user/"+session.Name, ram+"federated-user/"+session.Name
		g.UserID, g.Tags = key.Account+":"+session.Name, session.Tags
		g.Root = key.User == "" && session.Bounded() // without a policy it may do nothing
		if key.User != "" {
			g.UserARN = iam + "user/" + key.User
		}
	case key.User != "":
		g.Kind, g.Principal, g.RAM = PrincipalUser, iam+"user/"+key.User, ram+"user/"+key.User
		g.UserARN, g.Root = g.Principal, key.Admin
	default:
		g.Kind, g.Principal, g.RAM, g.Root = PrincipalAccount, iam+"root", ram+"root", true
	}
	g.Everywhere = key.Admin
	if g.Root && !key.Temporary() {
		g.Access, g.Bodies = Admin, true
	}
	if key.Session.Policy != "" {
		g.Session = []GrantedPolicy{{Name: "session policy", From: "session", Cloud: cmp.Or(key.Session.Cloud, CloudOfARN(key.Session.Role)), Text: key.Session.Policy}}
	}
	return g
}

// CloudOfARN gives the cloud that writes names so.
func CloudOfARN(arn string) string {
	if strings.HasPrefix(arn, "acs:") {
		return RAM
	}
	return AWS
}

// RoleNameOf gives the name of the role that an ARN names, whether there is one or not; ok false for what is
// no role's ARN: arn:PARTITION:iam::ACCOUNT:role/PATH/NAME, acs:ram::ACCOUNT:role/NAME.
func RoleNameOf(arn string) (name IdentityName, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case len(parts) == 6 && parts[0] == "arn" && parts[2] == "iam":
		parts = parts[4:]
	case len(parts) == 5 && parts[0] == "acs" && parts[1] == "ram":
		parts = parts[3:]
	default:
		return IdentityName{}, false
	}
	resource, isRole := strings.CutPrefix(parts[1], "role/")
	name = IdentityName{Account: parts[0], Kind: Role, Cloud: CloudOfARN(arn), Name: resource[strings.LastIndexByte(resource, '/')+1:]}
	return name, isRole && name.check() == nil
}

// Grant adds the policies that are kept for the key's principal: its own, those of its groups, its boundary and
// those of the session. identities are the principal first and then its groups; policy gives a policy by its
// ID, nil for one that is gone.
func (g *Grants) Grant(key *Key, identities []Identity, policy func(id string) *Policy) {
	if len(identities) > 0 {
		principal := identities[0]
		g.describe(&principal)
		for i := range identities {
			g.Identity = append(g.Identity, identities[i].granted(policy)...)
		}
		if principal.Boundary != "" {
			g.Boundary = &GrantedPolicy{Cloud: cloudOfPolicy(principal.Boundary)} // grants nothing if the policy is gone
			if p := policy(principal.Boundary); p != nil {
				*g.Boundary = p.granted("boundary")
			}
		}
	}
	for _, id := range key.Session.Policies {
		bound := GrantedPolicy{From: "session", Cloud: cloudOfPolicy(id)}
		if p := policy(id); p != nil {
			bound = p.granted("session")
		}
		g.Session = append(g.Session, bound)
	}
	if g.Kind == PrincipalFederated && len(g.Session) == 0 {
		g.Identity = nil
	}
}

// describe adds what is kept of the principal besides policies.
func (g *Grants) describe(principal *Identity) {
	switch g.Kind {
	case PrincipalUser:
		g.Principal, g.UserID, g.Tags = principal.ARN(AWS), principal.ID, principal.Tags
		g.UserARN = g.Principal
		if g.Access == NoAccess {
			g.Access, g.Bodies = principal.Access, principal.Bodies || principal.Access == Operator || principal.Access == Admin
		}
	case PrincipalRole:
		g.Role, g.Tags = principal.ARN(""), overlaid(principal.Tags, g.Tags)
	case PrincipalFederated:
		g.UserARN, g.Tags = principal.ARN(AWS), overlaid(principal.Tags, g.Tags)
	}
}

// granted gives an identity's own policies, in a steady order.
func (i *Identity) granted(policy func(id string) *Policy) (all []GrantedPolicy) {
	from := string(i.Kind) + "/" + i.Name
	for _, id := range slices.Sorted(maps.Keys(i.Attached)) {
		if p := policy(id); p != nil {
			all = append(all, p.granted(from))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.Inline)) {
		all = append(all, GrantedPolicy{Name: name, From: from, Cloud: i.Inline[name].Cloud, Text: i.Inline[name].Text})
	}
	return all
}

func (p *Policy) granted(from string) GrantedPolicy {
	return GrantedPolicy{Name: p.Name, ARN: p.ARN(), From: from, Cloud: p.Cloud, Text: p.Text()}
}
