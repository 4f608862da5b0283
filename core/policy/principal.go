package policy

import (
	"cmp"
	"slices"
	"strings"
)

// Principal is who asks, as policies name it.
type Principal struct {
	Account string   // 12 digits; "" for nobody in particular, and for services
	Names   []string // "root", "user/PATH/NAME", "assumed-role/NAME/SESSION", "federated-user/NAME"
	Role    string   // "role/PATH/NAME" of a role's session
	Cloud   Language // of that role; another cloud's role of the same name is another one
	User    string   // "user/PATH/NAME" of whom a federated user stands for
	Service string   // "sns.amazonaws.com"
	ID      string   // unique id: "AIDA…"
}

// principal is one that a statement names.
type principal struct {
	everyone bool
	account  string
	name     string // "" for the whole account
	service  string
	id       string
	cloud    Language // in which it is named, which tells roles of the same name apart
}

// grip is how a statement's principals take hold of who asks.
type grip int

const (
	no        grip = iota
	byAccount      // its account is named, which leaves it to that account's own policies
	byRole         // what it has a session of is named, whose bounds stay in force
	direct         // it is named itself, or everyone is
)

// holds says how the principal of a statement takes hold of one who asks.
func (p *principal) holds(who *Principal) grip {
	switch {
	case p.everyone:
		return direct
	case p.service != "":
		return directIf(p.service == who.Service)
	case p.id != "":
		return directIf(p.id == who.ID)
	case p.account != who.Account || who.Account == "":
		return no
	case (p.name == "" || p.name == "root") && !who.isRoot():
		return byAccount
	case who.Role != "" && p.cloud != who.Cloud:
		return no
	case slices.Contains(who.Names, cmp.Or(p.name, "root")):
		return direct
	}
	if p.name == who.Role || p.name == who.User {
		return byRole
	}
	return no
}

func (who *Principal) isRoot() bool { return slices.Contains(who.Names, "root") }

func directIf(named bool) grip {
	if named {
		return direct
	}
	return no
}

// holds says how the statement's principals take hold of who asks. A statement without any, as an
// identity's policy has, is about whoever it belongs to; in a resource's, it is about nobody.
func (s *Statement) holds(who *Principal) grip {
	if len(s.principals) == 0 {
		return directIf(!s.nobody)
	}
	best, all := no, [direct + 1]bool{}
	for i := range s.principals {
		grip := s.principals[i].holds(who)
		best, all[grip] = max(best, grip), true
	}
	if !s.notPrincipal {
		return best
	}
	everyone := slices.ContainsFunc(s.principals, func(p principal) bool { return p.everyone })
	if everyone || all[direct] && (who.Account == "" || who.isRoot() || all[byAccount] && (who.Role == "" || all[byRole])) {
		return no
	}
	return direct // unless all of it is excepted: account, role and session
}

// parsePrincipals reads a Principal or NotPrincipal.
func (l Language) parsePrincipals(value any) (list []principal, err error) {
	if value == "*" && l == AWS {
		return []principal{{everyone: true}}, nil
	}
	object, ok := value.(*object)
	if !ok || len(object.members) == 0 {
		return nil, malformed("a Principal must be an object that is not empty")
	}
	for _, m := range object.members {
		texts, err := textsOf("Principal", m.value)
		if err != nil {
			return nil, err
		}
		for _, text := range texts {
			p, err := l.parsePrincipal(m.name, text)
			if err != nil {
				return nil, err
			}
			list = append(list, p)
		}
	}
	return list, nil
}

// parsePrincipal reads one principal of a type.
func (l Language) parsePrincipal(kind, text string) (principal, error) {
	switch {
	case kind == "Service" && text != "":
		return principal{service: text}, nil
	case kind == "Federated" && text != "", kind == "CanonicalUser" && text != "" && l == AWS:
		return principal{id: kind + ":" + text}, nil // nobody who asks is one
	case l == AWS && kind == "AWS":
		return parseAWSPrincipal(text)
	case l == RAM && kind == "RAM":
		p, err := parseNamed(text, "acs:ram::", "acs:sts::")
		p.cloud = RAM
		return p, err
	}
	return principal{}, malformed("a principal of type %.64q is not known", kind)
}

func parseAWSPrincipal(text string) (principal, error) {
	switch {
	case text == "*":
		return principal{everyone: true}, nil
	case IsAccount(text):
		return principal{account: text}, nil
	case len(text) >= 16 && len(text) <= 128 && strings.HasPrefix(text, "A") && !strings.Contains(text, ":"):
		return principal{id: text}, nil
	}
	partition, rest, _ := strings.Cut(strings.TrimPrefix(text, "arn:"), ":")
	if !strings.HasPrefix(text, "arn:aws") || strings.ContainsAny(partition, "*?") {
		return principal{}, malformed("Invalid principal in policy: %.256q", text)
	}
	return parseNamed(rest, "iam::", "sts::")
}

// parseNamed reads ACCOUNT:NAME behind one of the prefixes.
func parseNamed(text string, prefixes ...string) (principal, error) {
	for _, prefix := range prefixes {
		behind, ok := strings.CutPrefix(text, prefix)
		if !ok {
			continue
		}
		account, name, _ := strings.Cut(behind, ":")
		kind, rest, _ := strings.Cut(name, "/")
		switch kind {
		case "root":
			ok = rest == "" && name == "root"
		case "user", "role", "assumed-role", "federated-user":
			ok = rest != "" && !strings.ContainsAny(rest, "*?")
		default:
			ok = false
		}
		if ok && isUID(account) {
			return principal{account: account, name: name}, nil
		}
	}
	return principal{}, malformed("Invalid principal in policy: %.256q", text)
}

// IsAccount says that a text can be an account: twelve digits.
func IsAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

// isUID allows the longer numbers of Alibaba's accounts, too.
func isUID(s string) bool {
	return len(s) >= 12 && len(s) <= 20 && strings.Trim(s, "0123456789") == ""
}
