package core

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/polymq/polymq/core/policy"
)

// PolicyName names a policy that is kept by itself, to be attached to identities.
type PolicyName struct {
	Account string // "" for what the cloud brings with it (IAM: AWS managed, RAM: system policies)
	Cloud   string // AWS or RAM
	Name    string
}

// Policy is a policy that is kept by itself.
type Policy struct {
	PolicyName
	ID          string // unique for ever: ANPA…; of a built-in one its ARN
	Path        string // of an AWS policy: "/" or between slashes
	Description string
	CreatedAt   time.Time
	UpdatedAt   time.Time
	Tags        map[string]string
	Default     int             // the number of the version that counts
	Last        int             // the highest number that a version had
	Versions    []PolicyVersion // the oldest first
	Attached    int             // identities that it is attached to
	Bounds      int             // identities whose boundary it is
	Revision    int64           // of this state of it
}

// PolicyVersion is one text of a policy.
type PolicyVersion struct {
	Number    int       `json:"number"` // v1 …
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

// ListPoliciesInput asks for a page of policies, sorted by name.
type ListPoliciesInput struct {
	Account    string // "": those of the cloud itself
	Cloud      string // "": of either
	PathPrefix string
	IDs        []string // only these; nil: all
	After      string   // the Next of the page before; "" starts
	Limit      int      // 1 to MaxListed
}

// PolicyPage is one page of policies, with their versions.
type PolicyPage struct {
	Policies []Policy
	Next     string // the After of the next page, "" when this is the last
}

// Bounds of policies, IAM's. White space does not count.
const (
	MaxPolicies       = 1500
	MaxPolicyName     = 128
	MaxPolicyText     = 6144
	MaxTrustText      = 4096
	MaxPolicyVersions = 5
	MaxPolicyBytes    = 128 << 10 // with white space
	policyPrefix      = "ANPA"
)

// BuiltIn says that the policy comes with its cloud and cannot be changed.
func (n PolicyName) BuiltIn() bool { return n.Account == "" }

// ARN gives the policy's name as its cloud writes it, of one without a path.
func (n PolicyName) ARN() string {
	switch {
	case n.Cloud == RAM && n.BuiltIn():
		return "acs:ram:*:system:policy/" + n.Name
	case n.Cloud == RAM:
		return "acs:ram:*:" + n.Account + ":policy/" + n.Name
	case n.BuiltIn():
		return "arn:aws:iam::aws:policy/" + n.Name
	}
	return "arn:aws:iam::" + n.Account + ":policy/" + n.Name
}

// PolicyNameOf gives the name of the policy that an ARN names, whether there is one or not; ok false for what
// is no policy's ARN.
func PolicyNameOf(arn string) (name PolicyName, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 && (len(parts) != 5 || parts[0] != "acs") {
		return PolicyName{}, false
	}
	name.Cloud, name.Account = CloudOfARN(arn), parts[len(parts)-2]
	resource, isPolicy := strings.CutPrefix(parts[len(parts)-1], "policy/")
	name.Name = resource[strings.LastIndexByte(resource, '/')+1:]
	if name.Cloud == AWS && parts[2] != "iam" || name.Cloud == RAM && parts[1] != "ram" {
		return PolicyName{}, false
	}
	if name.Account == "aws" && name.Cloud == AWS || name.Account == "system" && name.Cloud == RAM {
		name.Account = ""
	} else if !IsAccount(name.Account) {
		return PolicyName{}, false
	}
	return name, isPolicy && validName(name.Name, MaxPolicyName)
}

// ARN gives the policy's name as its cloud writes it.
func (p *Policy) ARN() string {
	if p.Cloud == AWS && p.Path != "" && p.Path != "/" {
		prefix, name, _ := strings.Cut(p.PolicyName.ARN(), ":policy/")
		return prefix + ":policy" + p.Path + name
	}
	return p.PolicyName.ARN()
}

// Text gives the text that counts.
func (p *Policy) Text() string {
	if v := p.Version(p.Default); v != nil {
		return v.Text
	}
	return ""
}

// Version gives a version of the policy, nil where there is none of that number.
func (p *Policy) Version(number int) *PolicyVersion {
	for i := range p.Versions {
		if p.Versions[i].Number == number {
			return &p.Versions[i]
		}
	}
	return nil
}

// cloudOfPolicy gives the cloud of a policy by its ID, which for those of RAM says so.
func cloudOfPolicy(id string) string {
	if strings.HasPrefix(id, "acs:") || strings.HasPrefix(id, ramPolicyPrefix) {
		return RAM
	}
	return AWS
}

// ramPolicyPrefix begins the IDs of RAM's policies, for which RAM itself has none.
const ramPolicyPrefix = "ANPR"

// CreatePolicy makes a policy of one version. InvalidArgument, EntityExists, EntityLimit, PolicyMalformed.
func (b *Broker) CreatePolicy(ctx context.Context, in Policy, text string) (Policy, error) {
	if in.Path == "" {
		in.Path = "/"
	}
	in.Versions, in.Default, in.Last = []PolicyVersion{{Number: 1, Text: text}}, 1, 1
	if err := in.check(); err != nil {
		return Policy{}, err
	}
	if err := checkPolicyText(in.Cloud, text, policy.Identity, MaxPolicyText); err != nil {
		return Policy{}, err
	}
	if builtIn(PolicyName{Cloud: in.Cloud, Name: in.Name}) != nil && in.Cloud == RAM {
		return Policy{}, Errorf(EntityExists, "A policy called %s already exists.", in.Name)
	}
	prefix := policyPrefix
	if in.Cloud == RAM {
		prefix = ramPolicyPrefix
	}
	in.ID = newEntityID(prefix)
	return b.store.CreatePolicy(ctx, in, MaxPolicies)
}

// Policy gives a policy. EntityNotFound.
func (b *Broker) Policy(ctx context.Context, name PolicyName) (Policy, error) {
	if name.BuiltIn() {
		if p := builtIn(name); p != nil {
			return *p, nil
		}
		return Policy{}, name.notFound()
	}
	if name.check() != nil {
		return Policy{}, name.notFound()
	}
	return b.store.Policy(ctx, name)
}

// PolicyCalled gives the name that a text means: an ARN, or the name of one of the account's policies of that cloud
// if there is one, else of one that the cloud brings with it. Whether there is such a policy is for
// others to say; another account's is EntityNotFound.
func (b *Broker) PolicyCalled(ctx context.Context, account, cloud, text string) (PolicyName, error) {
	if name, ok := PolicyNameOf(text); ok {
		if !name.BuiltIn() && name.Account != account {
			return name, Errorf(EntityNotFound, "there is no policy %s in account %s", text, account)
		}
		return name, nil
	}
	name := PolicyName{Account: account, Cloud: cloud, Name: text}
	builtIn := PolicyName{Cloud: cloud, Name: text}
	if BuiltInPolicy(builtIn.ARN()) == nil {
		return name, nil
	}
	_, err := b.Policy(ctx, name)
	if CodeOf(err) == EntityNotFound {
		return builtIn, nil
	}
	return name, err
}

// PolicyOfID gives a policy by its ID, as identities name it. EntityNotFound.
func (b *Broker) PolicyOfID(ctx context.Context, id string) (Policy, error) {
	if p := BuiltInPolicy(id); p != nil {
		return *p, nil
	}
	return b.store.PolicyOfID(ctx, id)
}

// PoliciesOfIDs gives those of the policies that there are, sorted by name.
func (b *Broker) PoliciesOfIDs(ctx context.Context, account string, ids []string) ([]Policy, error) {
	var own []string
	var all []Policy
	for _, id := range ids {
		if p := BuiltInPolicy(id); p != nil {
			all = append(all, *p)
		} else {
			own = append(own, id)
		}
	}
	if len(own) > 0 {
		page, err := b.store.ListPolicies(ctx, ListPoliciesInput{Account: account, IDs: own, Limit: MaxListed})
		if err != nil {
			return nil, err
		}
		all = append(all, page.Policies...)
	}
	slices.SortFunc(all, func(a, b Policy) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// ListPolicies gives a page of policies. InvalidArgument.
func (b *Broker) ListPolicies(ctx context.Context, in ListPoliciesInput) (PolicyPage, error) {
	if in.Limit < 1 || in.Limit > MaxListed {
		return PolicyPage{}, Errorf(InvalidArgument, "a page holds 1 to %d policies, asked for %d", MaxListed, in.Limit)
	}
	if !ValidText([]byte(in.PathPrefix)) || !ValidText([]byte(in.After)) {
		return PolicyPage{}, Errorf(InvalidArgument, "a path or a cursor is no valid text")
	}
	if in.Account == "" {
		return PolicyPage{Policies: builtInsOf(in.Cloud)}, nil
	}
	return b.store.ListPolicies(ctx, in)
}

// DeletePolicy removes a policy that is attached nowhere and has one version only, unless all is set: then
// with all versions. EntityNotFound, EntityInUse, EntityProtected.
func (b *Broker) DeletePolicy(ctx context.Context, name PolicyName, all bool) error {
	return b.withPolicy(ctx, name, func(p *Policy) error {
		if !all && len(p.Versions) > 1 {
			return Errorf(EntityInUse, "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return b.store.DeletePolicy(ctx, *p)
	})
}

// CreatePolicyVersion adds a text to a policy, which counts from now on if it is the default. Where the policy
// has as many versions as it may, the oldest that does not count makes room if rotate is set. EntityNotFound,
// EntityLimit, EntityProtected, PolicyMalformed.
func (b *Broker) CreatePolicyVersion(ctx context.Context, name PolicyName, text string, isDefault, rotate bool) (changed Policy, created PolicyVersion, err error) {
	if err := checkPolicyText(name.Cloud, text, policy.Identity, MaxPolicyText); err != nil {
		return Policy{}, PolicyVersion{}, err
	}
	changed, err = b.changePolicy(ctx, name, func(p *Policy) error {
		if len(p.Versions) >= MaxPolicyVersions && rotate {
			oldest := slices.IndexFunc(p.Versions, func(v PolicyVersion) bool { return v.Number != p.Default })
			p.Versions = slices.Delete(slices.Clone(p.Versions), oldest, oldest+1)
		}
		if len(p.Versions) >= MaxPolicyVersions {
			return Errorf(EntityLimit, "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", MaxPolicyVersions)
		}
		p.Last++
		p.Versions = append(slices.Clone(p.Versions), PolicyVersion{Number: p.Last, Text: text})
		if isDefault {
			p.Default = p.Last
		}
		return nil
	})
	if err != nil {
		return Policy{}, PolicyVersion{}, err
	}
	return changed, *changed.Version(changed.Last), nil
}

// SetDefaultPolicyVersion says which version of a policy counts. EntityNotFound, EntityProtected.
func (b *Broker) SetDefaultPolicyVersion(ctx context.Context, name PolicyName, number int) (Policy, error) {
	return b.changePolicy(ctx, name, func(p *Policy) error {
		if p.Version(number) == nil {
			return p.versionNotFound(number)
		}
		p.Default = number
		return nil
	})
}

// DeletePolicyVersion removes a version that does not count. EntityNotFound, EntityInUse, EntityProtected.
func (b *Broker) DeletePolicyVersion(ctx context.Context, name PolicyName, number int) error {
	_, err := b.changePolicy(ctx, name, func(p *Policy) error {
		switch i := slices.IndexFunc(p.Versions, func(v PolicyVersion) bool { return v.Number == number }); {
		case i < 0:
			return p.versionNotFound(number)
		case number == p.Default:
			return Errorf(EntityInUse, "Cannot delete the default version of a policy.")
		default:
			p.Versions = slices.Delete(slices.Clone(p.Versions), i, i+1)
			return nil
		}
	})
	return err
}

// AlterPolicy changes a policy's description, unless it is nil, and tags, of which nil removes one.
// EntityNotFound, EntityProtected.
func (b *Broker) AlterPolicy(ctx context.Context, name PolicyName, description *string, tags map[string]*string) (Policy, error) {
	return b.changePolicy(ctx, name, func(p *Policy) error {
		set(&p.Description, description)
		p.Tags = merge(p.Tags, tags)
		return p.check()
	})
}

func (b *Broker) withPolicy(ctx context.Context, name PolicyName, do func(*Policy) error) error {
	for range maxEntityChanges {
		found, err := b.Policy(ctx, name)
		switch {
		case err != nil:
			return err
		case name.BuiltIn():
			return Errorf(EntityProtected, "policy %s is built in and cannot be changed", name.ARN())
		}
		if err := do(&found); !errors.Is(err, ErrEntityChanged) {
			return err
		}
	}
	return Errorf(Unavailable, "policy %s keeps changing", name.Name)
}

func (b *Broker) changePolicy(ctx context.Context, name PolicyName, change func(*Policy) error) (changed Policy, err error) {
	err = b.withPolicy(ctx, name, func(p *Policy) error {
		if err := change(p); err != nil {
			return err
		}
		changed, err = b.store.SavePolicy(ctx, *p)
		return err
	})
	return changed, err
}

func (n PolicyName) notFound() error {
	return Errorf(EntityNotFound, "Policy %.256s does not exist or is not attachable.", strings.ToValidUTF8(n.ARN(), "�"))
}

func (p *Policy) versionNotFound(number int) error {
	return Errorf(EntityNotFound, "Policy %s version v%d does not exist or is not attachable.", p.ARN(), number)
}

func (n PolicyName) check() error {
	switch {
	case n.Cloud != AWS && n.Cloud != RAM:
		return Errorf(InvalidArgument, "a policy is of AWS or of RAM")
	case !IsAccount(n.Account):
		return Errorf(InvalidArgument, "an account has twelve digits")
	case !validName(n.Name, MaxPolicyName):
		return Errorf(InvalidArgument, "a policy's name has 1 to %d letters, digits and characters of _+=,.@-", MaxPolicyName)
	}
	return nil
}

func (p *Policy) check() error {
	switch err := p.PolicyName.check(); {
	case err != nil:
		return err
	case !validPath(p.Path) || p.Cloud == RAM && p.Path != "/":
		return Errorf(InvalidArgument, "a path of an AWS policy begins and ends with a slash and has at most %d printable characters", MaxPath)
	case len(p.Description) > 4*MaxDescription || !ValidText([]byte(p.Description)):
		return Errorf(InvalidArgument, "a description is a text of at most %d characters", MaxDescription)
	}
	return checkEntityTags(p.Tags)
}

// checkPolicyText says whether a text is a policy of its cloud's language, of at most so many characters.
func checkPolicyText(cloud, text string, kind policy.Kind, most int) error {
	language, known := languages[cloud]
	switch {
	case !known:
		return Errorf(InvalidArgument, "a policy is of AWS or of RAM")
	case len(text) > MaxPolicyBytes || textSize(text) > most:
		return Errorf(EntityLimit, "Cannot exceed quota for PolicySize: %d", most)
	case !ValidText([]byte(text)):
		return Errorf(PolicyMalformed, "The policy has characters that no policy may have.")
	}
	if _, err := language.Parse(text, kind); err != nil {
		return Errorf(PolicyMalformed, "%v", err)
	}
	return nil
}

var languages = map[string]policy.Language{AWS: policy.AWS, RAM: policy.RAM}
