package manage

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// identity is a user, a group or a role as the JSON API shows it.
type identity struct {
	Name       string            `json:"name"`
	ID         string            `json:"id"`
	Account    string            `json:"account"`
	ARN        string            `json:"arn"`
	Cloud      string            `json:"cloud"`
	Path       string            `json:"path"`
	CreatedAt  time.Time         `json:"created_at"`
	Tags       map[string]string `json:"tags"`
	Trust      string            `json:"trust"`
	MaxSession int               `json:"max_session_seconds"`
	Access     string            `json:"access"`
	Bodies     bool              `json:"bodies"`
	Groups     []string          `json:"groups"`
	Policies   []string          `json:"policies"`
	Inline     []struct {
		Name string `json:"name"`
	} `json:"inline"`
	Boundary string `json:"boundary"`
}

// access says what a user may do by the JSON API and the console.
func (i *identity) access() string {
	if i.Access == "viewer" && i.Bodies {
		return "viewer, bodies too"
	}
	return i.Access
}

func (i *identity) inline() string {
	var names []string
	for _, policy := range i.Inline {
		names = append(names, policy.Name)
	}
	return strings.Join(names, " ")
}

// userCommand, groupCommand and roleCommand are alike, as what they manage is.
func userCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "user",
		Aliases: []string{"users"},
		Short:   "Manage users: what they may do by policies, and by the JSON API and the console",
		Long: `Manages the users of an account, for both clouds at once: IAM and RAM know the same users. What a user may do
by the clouds' protocols is said by policies, which count where the server was started with --auth enforce; what
by the JSON API, these commands and the console, by its access: viewer, operator or admin.`,
		Example: `  polymq user create ann --access operator
  polymq user attach ann AmazonSQSFullAccess
  polymq user attach ann AliyunMNSReadOnlyAccess --cloud ram
  polymq key create --user ann`,
	}
	s := bind(command, environ)
	command.AddCommand(s.identityCommands("user")...)
	return command
}

func groupCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "group",
		Aliases: []string{"groups"},
		Short:   "Manage groups of users, who have the policies of their groups",
		Example: `  polymq group create devs
  polymq group attach devs AmazonSQSReadOnlyAccess
  polymq group add devs ann`,
	}
	s := bind(command, environ)
	command.AddCommand(append(s.identityCommands("group"),
		s.memberCommand("add", "Put a user into a group", http.MethodPut, "User %s is in group %s."),
		s.memberCommand("remove", "Take a user out of a group", http.MethodDelete, "User %s is no longer in group %s."), s.groupMembers())...)
	return command
}

func roleCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "role",
		Aliases: []string{"roles"},
		Short:   "Manage roles, which sessions of STS assume",
		Example: `  polymq role create worker --trust trust.json
  polymq role attach worker AmazonSQSFullAccess
  polymq role create fc --cloud ram --trust trust.json --max-session 2h`,
	}
	s := bind(command, environ)
	command.AddCommand(s.identityCommands("role")...)
	return command
}

// identityCommands are those that users, groups and roles have in common.
func (s *Session) identityCommands(kind string) []*cobra.Command {
	return []*cobra.Command{
		s.identityList(kind), s.identityShow(kind), s.identityCreate(kind), s.identitySet(kind), s.identityDelete(kind),
		s.attachCommand(kind, "attach", "Attach a policy, the account's own or one that its cloud brings with it", "is attached to"),
		s.attachCommand(kind, "detach", "Detach a policy", "is no longer attached to"), s.putCommand(kind), s.unputCommand(kind),
	}
}

// identityNames completes a name.
func (s *Session) identityNames(kind string) completion {
	return s.names(1, func([]string) []string { return []string{kind + "s"} }, "identities")
}

func (s *Session) identityList(kind string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List " + kind + "s", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			header := map[string]string{"user": "NAME\tACCESS\tTAGS\tCREATED", "group": "NAME\tPATH\tCREATED", "role": "NAME\tCLOUD\tLONGEST SESSION\tTAGS\tCREATED"}[kind]
			return list(s, command, get(kind+"s"), "identities", header, 0, func(i identity) []string {
				switch kind {
				case "user":
					return []string{i.Name, i.access(), printable(pairsOf(i.Tags)), when(i.CreatedAt)}
				case "group":
					return []string{i.Name, i.Path, when(i.CreatedAt)}
				}
				return []string{i.Name, i.Cloud, seconds(i.MaxSession), printable(pairsOf(i.Tags)), when(i.CreatedAt)}
			})
		},
	}
}

func (s *Session) identityShow(kind string) *cobra.Command {
	c := &cobra.Command{
		Use: "show NAME", Short: "Show a " + kind + " with its policies", Args: cobra.ExactArgs(1), ValidArgsFunction: s.identityNames(kind),
		RunE: func(command *cobra.Command, args []string) error {
			_, err := show(s, command, inCloud(command, get(kind+"s", args[0])), func(i identity) []string {
				return []string{
					"Name", i.Name, "ARN", i.ARN, "ID", i.ID, "Cloud", i.Cloud, "Access", i.access(), "Groups", strings.Join(i.Groups, " "), "Policies", strings.Join(i.Policies, " "),
					"Own policies", i.inline(), "Boundary", i.Boundary, "Longest session", unlessZero(i.MaxSession), "Trust", i.Trust, "Tags", pairsOf(i.Tags), "Created", when(i.CreatedAt),
				}
			})
			return err
		},
	}
	return cloudFlag(c, kind)
}

// cloudFlag adds the flag by which the roles of two clouds are told apart.
func cloudFlag(c *cobra.Command, kind string) *cobra.Command {
	if kind == "role" {
		c.Flags().String("cloud", "aws", "`CLOUD` whose role is meant: aws or ram")
	}
	return c
}

// inCloud says in a request which cloud's role is meant.
func inCloud(command *cobra.Command, in client.Request) client.Request {
	if flag := command.Flags().Lookup("cloud"); flag != nil {
		in.Query = url.Values{"cloud": {flag.Value.String()}}
	}
	return in
}

// identityFlags adds the flags of what a user, a group or a role has.
func identityFlags(c *cobra.Command, kind string) {
	flags := c.Flags()
	switch kind {
	case "user":
		flags.String("access", "", "what the user may do by the JSON API and the console: viewer, operator, admin, or none")
		flags.Bool("bodies", false, "a viewer sees bodies of messages too")
	case "role":
		flags.String("trust", "", "`FILE` of the policy that says who may assume the role (- is the standard input)")
		flags.Duration("max-session", 0, "`TIME` that a session may last (default 1h)")
	}
	if kind != "group" {
		tagFlags(flags, false)
	}
}

// identityFields gives what the flags say.
func identityFields(command *cobra.Command) (map[string]any, error) {
	flags, fields := command.Flags(), map[string]any{}
	if flags.Changed("access") {
		access, _ := flags.GetString("access")
		fields["access"] = strings.TrimPrefix(access, "none")
	}
	if flags.Changed("bodies") {
		fields["bodies"], _ = flags.GetBool("bodies")
	}
	if flags.Changed("max-session") {
		life, _ := flags.GetDuration("max-session")
		fields["max_session_seconds"] = int(life / time.Second)
	}
	if flags.Changed("trust") {
		file, _ := flags.GetString("trust")
		text, err := readText(command, file)
		if err != nil {
			return nil, err
		}
		fields["trust"] = text
	}
	if flags.Lookup("tag") != nil {
		addTags(flags, fields)
	}
	return fields, nil
}

// maxText is the longest policy that is read from a file.
const maxText = 256 << 10

// readText reads a file, or the standard input.
func readText(command *cobra.Command, file string) (string, error) {
	from := standardInput(command)
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("read the policy: %w", err)
		}
		defer func() { _ = opened.Close() }()
		from = opened
	}
	text, err := io.ReadAll(io.LimitReader(from, maxText+1))
	if err == nil && len(text) > maxText {
		err = fmt.Errorf("it is longer than %d KiB", maxText>>10)
	}
	if err != nil {
		return "", fmt.Errorf("read the policy: %w", err)
	}
	return string(text), nil
}

func (s *Session) identityCreate(kind string) *cobra.Command {
	c := &cobra.Command{
		Use: "create NAME", Short: "Make a " + kind, Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			fields, err := identityFields(command)
			if err != nil {
				return err
			}
			fields["name"] = args[0]
			if cloud, err := command.Flags().GetString("cloud"); err == nil {
				fields["cloud"] = cloud
			}
			if fields["access"] == "" {
				delete(fields, "access")
			}
			return s.do(command, post(fields, kind+"s"), title(kind)+" "+args[0]+" is made.")
		},
	}
	identityFlags(c, kind)
	if kind == "role" {
		c.Use += " --trust FILE"
		_ = c.MarkFlagRequired("trust") // the flag is there
	}
	return cloudFlag(c, kind)
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

func (s *Session) identitySet(kind string) *cobra.Command {
	c := &cobra.Command{
		Use: "set NAME", Aliases: []string{"edit"}, Short: "Change a " + kind, Args: cobra.ExactArgs(1), ValidArgsFunction: s.identityNames(kind),
		RunE: func(command *cobra.Command, args []string) error {
			fields, err := identityFields(command)
			if err != nil {
				return err
			}
			for flag, field := range map[string]string{"rename": "name", "boundary": "boundary"} {
				if command.Flags().Changed(flag) {
					fields[field], _ = command.Flags().GetString(flag)
				}
			}
			if len(fields) == 0 {
				return errNothing
			}
			return s.do(command, inCloud(command, patch(fields, kind+"s", args[0])), title(kind)+" "+args[0]+" is changed.")
		},
	}
	identityFlags(c, kind)
	switch kind {
	case "role":
		withoutDefaults(c.Flags(), "max-session")
	case "user":
		c.Flags().String("rename", "", "new `NAME`; the user's access keys go with it")
	default:
		c.Flags().String("rename", "", "new `NAME`")
	}
	if kind != "group" {
		c.Flags().String("boundary", "", "`POLICY` that bounds what others can allow, an empty text for none")
	}
	return cloudFlag(c, kind)
}

func (s *Session) identityDelete(kind string) *cobra.Command {
	c := &cobra.Command{
		Use: "delete NAME", Short: "Delete a " + kind, Args: cobra.ExactArgs(1), ValidArgsFunction: s.identityNames(kind),
		RunE: func(command *cobra.Command, args []string) error {
			in := inCloud(command, remove(kind+"s", args[0]))
			if all, _ := command.Flags().GetBool("all"); all {
				if err := s.confirm(command, "Delete %s %s with all that depends on it?", kind, args[0]); err != nil {
					return err
				}
				if in.Query == nil {
					in.Query = url.Values{}
				}
				in.Query.Set("all", "true")
			}
			return s.do(command, in, title(kind)+" "+args[0]+" is deleted.")
		},
	}
	c.Flags().Bool("all", false, "with what depends on it: a user's access keys, a group's members, policies of its own")
	return s.asks(cloudFlag(c, kind))
}

func (s *Session) groupMembers() *cobra.Command {
	return &cobra.Command{
		Use: "members GROUP", Short: "List the users of a group", Args: cobra.ExactArgs(1), ValidArgsFunction: s.identityNames("group"),
		RunE: func(command *cobra.Command, args []string) error {
			return list(s, command, get("groups", args[0], "members"), "identities", "NAME\tPATH\tCREATED", 0, func(i identity) []string {
				return []string{i.Name, i.Path, when(i.CreatedAt)}
			})
		},
	}
}

func (s *Session) memberCommand(use, short, method, done string) *cobra.Command {
	return &cobra.Command{
		Use: use + " GROUP USER", Short: short, Args: cobra.ExactArgs(2), ValidArgsFunction: s.identityNames("group"),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, client.Request{Method: method, Path: []string{"groups", args[0], "members", args[1]}}, fmt.Sprintf(done, args[1], args[0]))
		},
	}
}

func (s *Session) attachCommand(kind, use, short, done string) *cobra.Command {
	c := &cobra.Command{
		Use: use + " NAME POLICY", Short: short, Args: cobra.ExactArgs(2), ValidArgsFunction: s.identityNames(kind),
		RunE: func(command *cobra.Command, args []string) error {
			cloud, _ := command.Flags().GetString("cloud")
			in := post(map[string]string{"policy": args[1], "cloud": cloud}, kind+"s", args[0], "policies:"+use)
			return s.do(command, inCloud(command, in), "Policy "+args[1]+" "+done+" "+kind+" "+args[0]+".")
		},
	}
	whose := "`CLOUD` of the policy, where it is not named by its ARN: aws or ram"
	if kind == "role" {
		whose = "`CLOUD` of the role, and of the policy where it is not named by its ARN: aws or ram"
	}
	c.Flags().String("cloud", "aws", whose)
	return c
}

func (s *Session) putCommand(kind string) *cobra.Command {
	c := &cobra.Command{
		Use: "put NAME POLICY FILE", Short: "Set a policy of the " + kind + "'s own from a file (- is the standard input)", Args: cobra.ExactArgs(3), ValidArgsFunction: s.identityNames(kind),
		RunE: func(command *cobra.Command, args []string) error {
			text, err := readText(command, args[2])
			if err != nil {
				return err
			}
			cloud, _ := command.Flags().GetString("cloud")
			in := client.Request{Method: http.MethodPut, Path: []string{kind + "s", args[0], "inline", args[1]}, Body: map[string]string{"text": text, "cloud": cloud}}
			return s.do(command, inCloud(command, in), "Policy "+args[1]+" is "+kind+" "+args[0]+"'s own.")
		},
	}
	c.Flags().String("cloud", "aws", "`CLOUD` whose language the policy is of: aws or ram")
	return c
}

func (s *Session) unputCommand(kind string) *cobra.Command {
	c := &cobra.Command{
		Use: "unput NAME POLICY", Short: "Remove a policy of the " + kind + "'s own", Args: cobra.ExactArgs(2), ValidArgsFunction: s.identityNames(kind),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, inCloud(command, remove(kind+"s", args[0], "inline", args[1])), "Policy "+args[1]+" is gone from "+kind+" "+args[0]+".")
		},
	}
	return cloudFlag(c, kind)
}

// policy is a policy as the JSON API shows it.
type policy struct {
	Name        string            `json:"name"`
	ARN         string            `json:"arn"`
	Cloud       string            `json:"cloud"`
	BuiltIn     bool              `json:"built_in"`
	Description string            `json:"description"`
	Version     int               `json:"version"`
	Text        string            `json:"text"`
	Attached    int               `json:"attached"`
	Tags        map[string]string `json:"tags"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Versions    []json.RawMessage `json:"versions"`
}

func policyCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "policy",
		Aliases: []string{"policies"},
		Short:   "Manage policies, which say what users, groups and roles may do",
		Example: `  polymq policy create send-orders send-orders.json
  polymq user attach ann send-orders
  polymq policy list --built-in`,
	}
	s := bind(command, environ)
	command.AddCommand(policyList(s), policyShow(s), policyCreate(s), policySet(s), policyDelete(s))
	return command
}

func policyFlag(c *cobra.Command) *cobra.Command {
	c.Flags().String("cloud", "aws", "`CLOUD` whose language the policy is of: aws or ram")
	return c
}

func policyList(s *Session) *cobra.Command {
	var builtIn bool
	c := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List policies", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			in := get("policies")
			in.Query = url.Values{"built_in": {fmt.Sprint(builtIn)}}
			return list(s, command, in, "policies", "NAME\tCLOUD\tVERSION\tATTACHED\tCHANGED\tDESCRIPTION", 0, func(p policy) []string {
				return []string{p.Name, p.Cloud, fmt.Sprint(p.Version), fmt.Sprint(p.Attached), when(p.UpdatedAt), printable(p.Description)}
			})
		},
	}
	c.Flags().BoolVar(&builtIn, "built-in", false, "those that the clouds bring with them, instead of the account's own")
	return c
}

func (s *Session) policyNames() completion {
	return s.names(1, func([]string) []string { return []string{"policies"} }, "policies")
}

func policyShow(s *Session) *cobra.Command {
	return policyFlag(&cobra.Command{
		Use: "show NAME", Short: "Show a policy", Args: cobra.ExactArgs(1), ValidArgsFunction: s.policyNames(),
		RunE: func(command *cobra.Command, args []string) error {
			_, err := show(s, command, inCloud(command, get("policies", args[0])), func(p policy) []string {
				return []string{
					"Name", p.Name, "ARN", p.ARN, "Description", p.Description, "Version", fmt.Sprintf("%d of %d", p.Version, len(p.Versions)),
					"Attached to", fmt.Sprint(p.Attached), "Changed", when(p.UpdatedAt), "Tags", pairsOf(p.Tags), "Text", p.Text,
				}
			})
			return err
		},
	})
}

func policyCreate(s *Session) *cobra.Command {
	c := &cobra.Command{
		Use: "create NAME FILE", Short: "Make a policy from a file (- is the standard input)", Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			text, err := readText(command, args[1])
			if err != nil {
				return err
			}
			cloud, _ := command.Flags().GetString("cloud")
			fields := map[string]any{"name": args[0], "text": text, "cloud": cloud}
			fields["description"], _ = command.Flags().GetString("description")
			addTags(command.Flags(), fields)
			return s.do(command, post(fields, "policies"), "Policy "+args[0]+" is made.")
		},
	}
	c.Flags().String("description", "", "what it is for")
	tagFlags(c.Flags(), false)
	return policyFlag(c)
}

func policySet(s *Session) *cobra.Command {
	var number int
	c := &cobra.Command{
		Use: "set NAME [FILE]", Aliases: []string{"edit"}, Short: "Give a policy a new text, or make another version of it count", Args: cobra.RangeArgs(1, 2), ValidArgsFunction: s.policyNames(),
		RunE: func(command *cobra.Command, args []string) error {
			fields := map[string]any{}
			if len(args) > 1 {
				text, err := readText(command, args[1])
				if err != nil {
					return err
				}
				fields["text"] = text
			}
			if number > 0 {
				fields["version"] = number
			}
			if len(fields) == 0 {
				return errNothing
			}
			return s.do(command, inCloud(command, patch(fields, "policies", args[0])), "Policy "+args[0]+" is changed.")
		},
	}
	c.Flags().IntVar(&number, "version", 0, "`NUMBER` of the version that is to count")
	return policyFlag(c)
}

func policyDelete(s *Session) *cobra.Command {
	return policyFlag(&cobra.Command{
		Use: "delete NAME", Short: "Delete a policy that is attached nowhere", Args: cobra.ExactArgs(1), ValidArgsFunction: s.policyNames(),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, inCloud(command, remove("policies", args[0])), "Policy "+args[0]+" is deleted.")
		},
	})
}

// account is an account as the JSON API shows it.
type account struct {
	ID        string    `json:"id"`
	Alias     string    `json:"alias"`
	CreatedAt time.Time `json:"created_at"`
}

func accountCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use:     "account",
		Aliases: []string{"accounts"},
		Short:   "Manage accounts: who has an access key of one sees nothing of the others",
		Example: `  polymq account create 111122223333 --alias team-a
  polymq account set 111122223333 --alias 1234567890123456   # as in an Alibaba host
  polymq key create --account 111122223333`,
	}
	s := bind(command, environ)
	command.AddCommand(accountList(s), accountCreate(s), accountSet(s), accountDelete(s))
	return command
}

func accountList(s *Session) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the accounts that are known", Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return list(s, command, get("accounts"), "accounts", "ACCOUNT\tALIAS\tKNOWN SINCE", 0, func(a account) []string {
				return []string{a.ID, a.Alias, when(a.CreatedAt)}
			})
		},
	}
}

func accountCreate(s *Session) *cobra.Command {
	var alias string
	c := &cobra.Command{
		Use: "create ACCOUNT", Short: "Make an account of twelve digits known", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, post(map[string]string{"id": args[0], "alias": alias}, "accounts"), "Account "+args[0]+" is known.")
		},
	}
	c.Flags().StringVar(&alias, "alias", "", "`NAME` for it; one of sixteen digits is what hosts such as 1234567890123456.mns.cn-hangzhou.aliyuncs.com call it")
	return c
}

func accountSet(s *Session) *cobra.Command {
	var alias string
	c := &cobra.Command{
		Use: "set ACCOUNT", Aliases: []string{"edit"}, Short: "Change an account's alias", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return s.do(command, patch(map[string]string{"alias": alias}, "accounts", args[0]), "Account "+args[0]+" is changed.")
		},
	}
	c.Flags().StringVar(&alias, "alias", "", "`NAME` for it, an empty text for none")
	_ = c.MarkFlagRequired("alias")
	return c
}

func accountDelete(s *Session) *cobra.Command {
	return s.asks(&cobra.Command{
		Use: "delete ACCOUNT", Short: "Delete an account without queues and topics, with its users, roles, policies and access keys", Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if err := s.confirm(command, "Delete account %s with its users, roles, policies and access keys?", args[0]); err != nil {
				return err
			}
			return s.do(command, remove("accounts", args[0]), "Account "+args[0]+" is deleted.")
		},
	})
}
