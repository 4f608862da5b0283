package core

import (
	"context"
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
	Role      string // ARN of the role of a session, with its path
	Tags      map[string]string

	// Root: the account's own key, or an administrator's. It may do all in its account, whatever
	// policies say of users; a session's policies bound it nevertheless.
	Root     bool
	Identity []GrantedPolicy // the principal's own, attached and inline, and its groups'
	Boundary *GrantedPolicy  // nil: none
	Session  []GrantedPolicy // that the session was asked to be bounded by, all together; nil: none
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
// its user or its role.
func GrantsOf(key *Key) *Grants {
	g := &Grants{Account: key.Account, User: key.User, Role: key.Session.Role}
	iam, sts, ram := "arn:aws:iam::"+key.Account+":", "arn:aws:sts::"+key.Account+":", "acs:ram::"+key.Account+":"
	switch session := key.Session; {
	case session.Role != "":
		name := session.Role[strings.LastIndexByte(session.Role, '/')+1:]
		g.Kind, g.Principal, g.RAM = PrincipalRole, sts+"assumed-role/"+name+"/"+session.Name, ram+"assumed-role/"+name+"/"+session.Name
	case session.Name != "":
		g.Kind, g.Principal, g.RAM = PrincipalFederated, sts+"federated-user/"+session.Name, ram+"federated-user/"+session.Name
	case key.User != "":
		g.Kind, g.Principal, g.RAM = PrincipalUser, iam+"user/"+key.User, ram+"user/"+key.User
	default:
		g.Kind, g.Principal, g.RAM = PrincipalAccount, iam+"root", ram+"root"
	}
	g.Root = g.Kind == PrincipalAccount || key.Admin
	if key.Session.Policy != "" {
		cloud := AWS
		if strings.HasPrefix(key.Session.Role, "acs:") {
			cloud = RAM
		}
		g.Session = []GrantedPolicy{{Name: "session policy", From: "session", Cloud: cloud, Text: key.Session.Policy}}
	}
	return g
}
