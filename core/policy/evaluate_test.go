package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	ordersARN = "arn:aws:sqs:us-east-1:111122223333:orders"
	mine      = "111122223333"
	other     = "444455556666"
)

// keysOf gives condition keys from a table, whose names are in lower case.
func keysOf(pairs map[string][]string) func(string) []string {
	return func(key string) []string { return pairs[key] }
}

func user(account, name string) Principal {
	return Principal{Account: account, Names: []string{"user/" + name}, ID: "AIDAEXAMPLE" + strings.ToUpper(name)}
}

func session(account, role, name string) Principal {
	return Principal{Account: account, Names: []string{"assumed-role/" + role + "/" + name}, Role: "role/" + role}
}

func root(account string) Principal { return Principal{Account: account, Names: []string{"root"}} }

// parse reads a policy that is right; "" gives none.
func parse(t testing.TB, kind Kind, text string) *Named {
	t.Helper()
	if text == "" {
		return nil
	}
	if !strings.Contains(text, `"Statement"`) { // only a statement was given
		text = `{"Version":"2012-10-17","Statement":[` + text + `]}`
	}
	language := AWS
	if strings.Contains(text, `"Version":"1"`) {
		language = RAM
	}
	p, err := language.Parse(text, kind)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &Named{Name: kind.String(), Policy: p}
}

// policies reads those of a test.
func policies(t testing.TB, identity, boundary, session, resource string) *Policies {
	t.Helper()
	return &Policies{
		Identity: list(parse(t, Identity, identity)), Boundary: parse(t, Boundary, boundary),
		Session: list(parse(t, Session, session)), Resource: parse(t, Resource, resource),
	}
}

const (
	allowSend  = `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`
	allowAll   = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	denySend   = `{"Sid":"NoSending","Effect":"Deny","Action":"sqs:SendMessage","Resource":"*"}`
	allowOther = `{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}`
)

// to is a statement of a queue's policy.
func to(effect, principal string) string {
	return `{"Sid":"Q","Effect":"` + effect + `","Principal":` + principal + `,"Action":"sqs:*","Resource":"` + ordersARN + `"}`
}

// TestEvaluateLayers is the table of AWS's manual: which policies together allow what to whom ("Policy
// evaluation logic", with and without boundaries, sessions and other accounts).
func TestEvaluateLayers(t *testing.T) {
	t.Parallel()
	bob, role := user(mine, "Bob"), session(mine, "worker", "w1")
	ramRole := role
	ramRole.Cloud = RAM
	stranger := user(other, "Eve")
	const (
		toBob     = `{"AWS":"arn:aws:iam::111122223333:user/Bob"}`
		toRole    = `{"AWS":"arn:aws:iam::111122223333:role/worker"}`
		toSession = `{"AWS":"arn:aws:sts::111122223333:assumed-role/worker/w1"}`
		toAccount = `{"AWS":"111122223333"}`
		toOther   = `{"AWS":"arn:aws:iam::444455556666:root"}`
		toEve     = `{"AWS":"arn:aws:iam::444455556666:user/Eve"}`
	)
	tests := map[string]struct {
		who                                   Principal
		root                                  bool
		identity, boundary, session, resource string
		want                                  Outcome
		kind                                  Kind
	}{
		"nothing":                                        {bob, false, "", "", "", "", ImplicitDeny, Identity},
		"identity":                                       {bob, false, allowSend, "", "", "", Allowed, Identity},
		"identity, another action":                       {bob, false, allowOther, "", "", "", ImplicitDeny, Identity},
		"identity denies":                                {bob, false, allowAll + "," + denySend, "", "", "", ExplicitDeny, Identity},
		"boundary leaves it out":                         {bob, false, allowSend, allowOther, "", "", ImplicitDeny, Boundary},
		"boundary alone":                                 {bob, false, "", allowSend, "", "", ImplicitDeny, Identity},
		"boundary and identity":                          {bob, false, allowSend, allowAll, "", "", Allowed, Identity},
		"boundary denies":                                {bob, false, allowSend, allowAll + "," + denySend, "", "", ExplicitDeny, Boundary},
		"session leaves it out":                          {role, false, allowSend, "", allowOther, "", ImplicitDeny, Session},
		"session and identity":                           {role, false, allowSend, "", allowAll, "", Allowed, Identity},
		"session alone":                                  {role, false, "", "", allowAll, "", ImplicitDeny, Identity},
		"session denies":                                 {role, false, allowSend, "", allowAll + "," + denySend, "", ExplicitDeny, Session},
		"resource names nobody":                          {bob, false, "", "", "", allowAll, ImplicitDeny, Identity},
		"resource denies nobody":                         {bob, false, allowSend, "", "", denySend, Allowed, Identity},
		"resource denies nobody, who is root":            {root(mine), true, "", "", "", denySend, Allowed, Identity},
		"resource names the user":                        {bob, false, "", "", "", to("Allow", toBob), Allowed, Resource},
		"resource names the user, past its boundary":     {bob, false, "", allowOther, "", to("Allow", toBob), Allowed, Resource},
		"resource names everyone":                        {bob, false, "", "", "", to("Allow", `"*"`), Allowed, Resource},
		"resource names the account":                     {bob, false, "", "", "", to("Allow", toAccount), ImplicitDeny, Identity},
		"resource names the account, identity allows":    {bob, false, allowSend, "", "", to("Allow", toAccount), Allowed, Identity},
		"resource names the role":                        {role, false, "", "", "", to("Allow", toRole), Allowed, Resource},
		"resource names the role, past the boundary":     {role, false, "", allowOther, "", to("Allow", toRole), ImplicitDeny, Boundary},
		"resource names the role, past the session":      {role, false, "", "", allowOther, to("Allow", toRole), ImplicitDeny, Session},
		"resource names the session, past both":          {role, false, "", allowOther, allowOther, to("Allow", toSession), Allowed, Resource},
		"resource denies the account":                    {bob, false, allowAll, "", "", to("Deny", toAccount), ExplicitDeny, Resource},
		"resource denies another":                        {bob, false, allowAll, "", "", to("Deny", toEve), Allowed, Identity},
		"root":                                           {root(mine), true, "", "", "", "", Allowed, Identity},
		"root, the resource denies":                      {root(mine), true, "", "", "", to("Deny", `"*"`), ExplicitDeny, Resource},
		"root, a session leaves it out":                  {root(mine), true, "", "", allowOther, "", ImplicitDeny, Session},
		"resource names AWS's role of that name":         {ramRole, false, "", "", "", to("Allow", toRole), ImplicitDeny, Identity},
		"resource names AWS's session of that name":      {ramRole, false, "", "", "", to("Allow", toSession), ImplicitDeny, Identity},
		"resource denies AWS's role of that name":        {ramRole, false, allowSend, "", "", to("Deny", toRole), Allowed, Identity},
		"resource names the account of a RAM role":       {ramRole, false, allowSend, "", "", to("Allow", toAccount), Allowed, Identity},
		"another account, neither":                       {stranger, false, "", "", "", "", ImplicitDeny, Resource},
		"another account, identity only":                 {stranger, false, allowAll, "", "", "", ImplicitDeny, Resource},
		"another account, resource only":                 {stranger, false, "", "", "", to("Allow", toEve), ImplicitDeny, Identity},
		"another account, everyone only":                 {stranger, false, "", "", "", to("Allow", `{"AWS":"*"}`), ImplicitDeny, Identity},
		"another account, both":                          {stranger, false, allowSend, "", "", to("Allow", toEve), Allowed, Resource},
		"another account, both by account":               {stranger, false, allowSend, "", "", to("Allow", toOther), Allowed, Resource},
		"another account, a boundary in between":         {stranger, false, allowSend, allowOther, "", to("Allow", toOther), ImplicitDeny, Boundary},
		"another account's root":                         {root(other), true, "", "", "", to("Allow", toOther), Allowed, Resource},
		"another account's root, not named":              {root(other), true, "", "", "", to("Allow", toBob), ImplicitDeny, Resource},
		"another account, denied at home":                {stranger, false, allowAll + "," + denySend, "", "", to("Allow", toOther), ExplicitDeny, Identity},
		"nobody in particular":                           {Principal{}, false, "", "", "", to("Allow", `"*"`), Allowed, Resource},
		"nobody in particular, an account":               {Principal{}, false, "", "", "", to("Allow", toAccount), ImplicitDeny, Resource},
		"nobody in particular, nobody named":             {Principal{}, false, "", "", "", allowAll, ImplicitDeny, Resource},
		"nobody in particular, no policy":                {Principal{}, false, "", "", "", "", ImplicitDeny, Resource},
		"a service":                                      {Principal{Service: "sns.amazonaws.com"}, false, "", "", "", to("Allow", `{"Service":"sns.amazonaws.com"}`), Allowed, Resource},
		"a service, nobody named":                        {Principal{Service: "sns.amazonaws.com"}, false, "", "", "", allowAll, ImplicitDeny, Resource},
		"another account, nobody named":                  {stranger, false, allowSend, "", "", allowAll, ImplicitDeny, Resource},
		"another service":                                {Principal{Service: "s3.amazonaws.com"}, false, "", "", "", to("Allow", `{"Service":["sns.amazonaws.com"]}`), ImplicitDeny, Resource},
		"a service, everyone denied":                     {Principal{Service: "sns.amazonaws.com"}, false, "", "", "", to("Allow", `{"Service":"sns.amazonaws.com"}`) + "," + to("Deny", `"*"`), ExplicitDeny, Resource},
		"a user by its id":                               {Principal{Account: mine, Names: []string{"user/Bob"}, ID: "AIDACKCEVSQ6C2EXAMPLE"}, false, "", "", "", to("Allow", `{"AWS":"AIDACKCEVSQ6C2EXAMPLE"}`), Allowed, Resource},
		"federated, by its own name":                     {Principal{Account: mine, Names: []string{"federated-user/f"}, User: "user/Bob"}, false, "", "", allowOther, to("Allow", `{"AWS":"arn:aws:sts::111122223333:federated-user/f"}`), Allowed, Resource},
		"federated, by its user's, past the session":     {Principal{Account: mine, Names: []string{"federated-user/f"}, User: "user/Bob"}, false, "", "", allowOther, to("Allow", toBob), ImplicitDeny, Session},
		"all but Bob and his account are denied: Bob":    {bob, false, allowSend, "", "", notPrincipal(`["arn:aws:iam::111122223333:user/Bob","arn:aws:iam::111122223333:root"]`), Allowed, Identity},
		"all but Bob and his account are denied: others": {user(mine, "Al"), false, allowSend, "", "", notPrincipal(`["arn:aws:iam::111122223333:user/Bob","arn:aws:iam::111122223333:root"]`), ExplicitDeny, Resource},
		"all but Bob are denied, not his account: Bob":   {bob, false, allowSend, "", "", notPrincipal(`["arn:aws:iam::111122223333:user/Bob"]`), ExplicitDeny, Resource},
		"all but Bob are denied, who has a boundary":     {bob, false, allowSend, allowAll, "", notPrincipal(`["arn:aws:iam::111122223333:user/Bob","arn:aws:iam::111122223333:root"]`), ExplicitDeny, Resource},
		"none are denied, with a boundary":               {bob, false, allowSend, allowAll, "", notPrincipal(`"*"`), ExplicitDeny, Resource},
		"none but of another queue, with a boundary":     {bob, false, allowSend, allowAll, "", strings.Replace(notPrincipal(`"*"`), "orders", "bills", 1), Allowed, Identity},
		"none but over TLS, with a boundary":             {bob, false, allowSend, allowAll, "", strings.Replace(notPrincipal(`"*"`), `{`, `{"Condition":{"Bool":{"aws:SecureTransport":"true"}},`, 1), Allowed, Identity},
		"none are denied, who is root":                   {root(mine), true, "", allowAll, "", notPrincipal(`"*"`), Allowed, Identity},
		"all but the account's root are denied: root":    {root(mine), true, "", "", "", notPrincipal(`["arn:aws:iam::111122223333:root"]`), Allowed, Identity},
		"all but a session are denied: it": {role, false, allowSend, "", "",
			notPrincipal(`["arn:aws:sts::111122223333:assumed-role/worker/w1","arn:aws:iam::111122223333:role/worker","arn:aws:iam::111122223333:root"]`), Allowed, Identity},
		"all but another session are denied": {role, false, allowSend, "", "",
			notPrincipal(`["arn:aws:sts::111122223333:assumed-role/worker/w2","arn:aws:iam::111122223333:role/worker","arn:aws:iam::111122223333:root"]`), ExplicitDeny, Resource},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policies(t, tt.identity, tt.boundary, tt.session, tt.resource)
			p.Root = tt.root
			got := Evaluate(&Request{Principal: tt.who, Action: "sqs:SendMessage", Resource: ordersARN, Owner: mine}, p)
			if got.Outcome != tt.want || got.Kind != tt.kind {
				t.Errorf("got %v by %v, want %v by %v", got.Outcome, got.Kind, tt.want, tt.kind)
			}
			if (got.Outcome == ExplicitDeny) != (got.Statement != nil && !got.Statement.Allow) {
				t.Errorf("%v was decided by %+v", got.Outcome, got.Statement)
			}
		})
	}
}

func notPrincipal(arns string) string {
	return `{"Effect":"Deny","NotPrincipal":{"AWS":` + arns + `},"Action":"sqs:*","Resource":"` + ordersARN + `"}`
}

// TestEvaluateStatements matches one statement of a user's policy with one request. Many are examples of the
// manuals (IAM JSON policy elements; SQS "Using identity-based policies"; RAM "Policy elements").
func TestEvaluateStatements(t *testing.T) {
	t.Parallel()
	const queues = `"arn:aws:sqs:us-east-1:111122223333:`
	statement := func(action, resource, condition string) string {
		if condition != "" {
			condition = `,"Condition":` + condition
		}
		return `{"Effect":"Allow",` + action + `,` + resource + condition + `}`
	}
	send, all := `"Action":"sqs:SendMessage"`, `"Resource":"*"`
	on := func(text string) string { return `"Resource":` + text }
	when := func(condition string) string { return statement(send, all, condition) }
	tests := map[string]struct {
		statement string
		want      bool
	}{
		"action":                              {statement(send, all, ""), true},
		"action in another case":              {statement(`"Action":"SQS:sendmessage"`, all, ""), true},
		"action, all of the service":          {statement(`"Action":"sqs:*"`, all, ""), true},
		"action, some of the service":         {statement(`"Action":["sqs:Get*","sqs:Send*"]`, all, ""), true},
		"action, a question mark":             {statement(`"Action":"sqs:SendMessag?"`, all, ""), true},
		"action, a question mark too many":    {statement(`"Action":"sqs:SendMessage?"`, all, ""), false},
		"action of another service":           {statement(`"Action":"sns:*"`, all, ""), false},
		"not another action":                  {statement(`"NotAction":"sqs:DeleteQueue"`, all, ""), true},
		"not that action":                     {statement(`"NotAction":["sqs:Send*","sns:*"]`, all, ""), false},
		"resource":                            {statement(send, on(queues+`orders"`), ""), true},
		"resource in another case":            {statement(send, on(queues+`Orders"`), ""), false},
		"resource with a star":                {statement(send, on(queues+`or*"`), ""), true},
		"resource with stars in between":      {statement(send, on(`"arn:aws:sqs:*:*:*rd*s"`), ""), true},
		"resource, only a prefix":             {statement(send, on(queues+`order"`), ""), false},
		"resource, not that":                  {statement(send, `"NotResource":`+queues+`orders"`, ""), false},
		"resource, not another":               {statement(send, `"NotResource":[`+queues+`bills",`+queues+`o?d"]`, ""), true},
		"resource named as the user":          {statement(send, on(queues+`${aws:username}"`), ""), false},
		"resource of the user's department":   {statement(send, on(queues+`${aws:PrincipalTag/department}"`), ""), true},
		"resource with a default":             {statement(send, on(queues+`${aws:PrincipalTag/team, 'orders'}"`), ""), true},
		"resource with no value":              {statement(send, on(queues+`${aws:PrincipalTag/team}*"`), ""), false},
		"resource with a star from outside":   {statement(send, on(queues+`${aws:PrincipalTag/star}"`), ""), false},
		"resource with an escaped star":       {statement(send, on(queues+`or${*}"`), ""), false},
		"StringEquals":                        {when(`{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}`), true},
		"StringEquals, one of":                {when(`{"StringEquals":{"AWS:principalaccount":["1","111122223333"]}}`), true},
		"StringEquals, neither":               {when(`{"StringEquals":{"aws:PrincipalAccount":["1","2"]}}`), false},
		"StringEquals, a star is a star":      {when(`{"StringEquals":{"aws:PrincipalAccount":"1*"}}`), false},
		"StringEquals, a key that is missing": {when(`{"StringEquals":{"aws:SourceVpc":"v"}}`), false},
		"StringEqualsIfExists":                {when(`{"StringEqualsIfExists":{"aws:SourceVpc":"v"}}`), true},
		"StringEqualsIfExists, another":       {when(`{"StringEqualsIfExists":{"aws:username":"v"}}`), false},
		"StringEquals, a variable":            {when(`{"StringEquals":{"aws:username":"${aws:PrincipalTag/name}"}}`), true},
		"StringNotEquals":                     {when(`{"StringNotEquals":{"aws:username":["Al","Bob"]}}`), false},
		"StringNotEquals, missing":            {when(`{"StringNotEquals":{"aws:SourceVpc":"v"}}`), true},
		"StringEqualsIgnoreCase":              {when(`{"StringEqualsIgnoreCase":{"aws:username":"BOB"}}`), true},
		"StringNotEqualsIgnoreCase":           {when(`{"StringNotEqualsIgnoreCase":{"aws:username":"BOB"}}`), false},
		"StringLike":                          {when(`{"StringLike":{"aws:username":["A*","B?b"]}}`), true},
		"StringNotLike":                       {when(`{"StringNotLike":{"aws:username":"*o*"}}`), false},
		"two keys, one wrong":                 {when(`{"StringEquals":{"aws:username":"Bob","aws:PrincipalAccount":"2"}}`), false},
		"two operators, one wrong":            {when(`{"StringEquals":{"aws:username":"Bob"},"Bool":{"aws:SecureTransport":"true"}}`), false},
		"Bool":                                {when(`{"Bool":{"aws:SecureTransport":"False"}}`), true},
		"Bool, as JSON":                       {when(`{"Bool":{"aws:SecureTransport":false}}`), true},
		"Bool, missing":                       {when(`{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`), false},
		"BoolIfExists, missing":               {when(`{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`), true},
		"Null, missing":                       {when(`{"Null":{"aws:SourceVpc":"true"}}`), true},
		"Null, there":                         {when(`{"Null":{"aws:username":"true"}}`), false},
		"not Null, there":                     {when(`{"Null":{"aws:username":false}}`), true},
		"IpAddress":                           {when(`{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]}}`), true},
		"IpAddress, an address":               {when(`{"IpAddress":{"aws:SourceIp":"203.0.113.9"}}`), true},
		"IpAddress, another":                  {when(`{"IpAddress":{"aws:SourceIp":"203.0.113.10/31"}}`), false},
		"IpAddress, IPv6":                     {when(`{"IpAddress":{"aws:SourceIp":"2001:DB8:1234:5678::/64"}}`), false},
		"NotIpAddress":                        {when(`{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","203.0.113.0/24"]}}`), false},
		"NotIpAddress, others":                {when(`{"NotIpAddress":{"aws:SourceIp":["192.0.2.0/24","2001:db8::/32"]}}`), true},
		"DateGreaterThan":                     {when(`{"DateGreaterThan":{"aws:CurrentTime":"2019-07-16T12:00:00Z"}}`), true},
		"DateLessThan":                        {when(`{"DateLessThan":{"aws:CurrentTime":"2019-07-16T15:00:00+08:00"}}`), false},
		"DateLessThanEquals":                  {when(`{"DateLessThanEquals":{"aws:CurrentTime":"2026-06-03T12:00:00Z"}}`), true},
		"DateLessThan, the same":              {when(`{"DateLessThan":{"aws:CurrentTime":"2026-06-03T12:00:00.000Z"}}`), false},
		"DateEquals, in seconds":              {when(`{"DateEquals":{"aws:EpochTime":"2026-06-03T12:00:00Z"}}`), true},
		"DateNotEquals":                       {when(`{"DateNotEquals":{"aws:EpochTime":"1780488000"}}`), false},
		"DateGreaterThanEquals, a day":        {when(`{"DateGreaterThanEquals":{"aws:CurrentTime":"2026-06-03"}}`), true},
		"NumericLessThanEquals":               {when(`{"NumericLessThanEquals":{"aws:MultiFactorAuthAge":"300"}}`), true},
		"NumericLessThan":                     {when(`{"NumericLessThan":{"aws:MultiFactorAuthAge":300}}`), false},
		"NumericGreaterThan":                  {when(`{"NumericGreaterThan":{"aws:MultiFactorAuthAge":"299.5"}}`), true},
		"NumericGreaterThanEquals":            {when(`{"NumericGreaterThanEquals":{"aws:MultiFactorAuthAge":"301"}}`), false},
		"NumericEquals":                       {when(`{"NumericEquals":{"aws:MultiFactorAuthAge":"3e2"}}`), true},
		"NumericNotEquals":                    {when(`{"NumericNotEquals":{"aws:MultiFactorAuthAge":["1","300"]}}`), false},
		"NumericEquals, no number":            {when(`{"NumericEquals":{"aws:username":"1"}}`), false},
		"BinaryEquals":                        {when(`{"BinaryEquals":{"test:bytes":"QmluYXJ5VmFsdWVJbkJhc2U2NA=="}}`), true},
		"ArnEquals":                           {when(`{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:us-east-1:111122223333:news"}}`), true},
		"ArnLike, stars":                      {when(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:n*"}}`), true},
		"ArnLike, a star keeps to its part":   {when(`{"ArnLike":{"aws:SourceArn":"arn:aws:*:111122223333:n*"}}`), false},
		"ArnLike, open":                       {when(`{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*"}}`), true},
		"ArnNotLike":                          {when(`{"ArnNotLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}}`), false},
		"ArnNotEquals, missing":               {when(`{"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::*:root"}}`), true},
		"ForAllValues":                        {when(`{"ForAllValues:StringEquals":{"aws:TagKeys":["env","team","x"]}}`), true},
		"ForAllValues, one is not listed":     {when(`{"ForAllValues:StringEquals":{"aws:TagKeys":["env"]}}`), false},
		"ForAllValues, missing":               {when(`{"ForAllValues:StringEquals":{"test:none":["env"]}}`), true},
		"ForAllValues, negated":               {when(`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["secret"]}}`), true},
		"ForAllValues, negated, one is":       {when(`{"ForAllValues:StringNotEquals":{"aws:TagKeys":["env"]}}`), false},
		"ForAnyValue":                         {when(`{"ForAnyValue:StringLike":{"aws:TagKeys":["e*"]}}`), true},
		"ForAnyValue, none":                   {when(`{"ForAnyValue:StringEquals":{"aws:TagKeys":["secret"]}}`), false},
		"ForAnyValue, missing":                {when(`{"ForAnyValue:StringEquals":{"test:none":["env"]}}`), false},
		"ForAnyValue, negated":                {when(`{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["env"]}}`), true},
		"ForAnyValue, IfExists":               {when(`{"ForAnyValue:StringEqualsIfExists":{"test:none":["env"]}}`), true},
	}
	at := time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)
	keys := keysOf(map[string][]string{
		"aws:username": {"Bob"}, "aws:principalaccount": {mine}, "aws:securetransport": {"false"}, "aws:sourceip": {"203.0.113.9"},
		"aws:currenttime": {at.Format(time.RFC3339)}, "aws:epochtime": {fmt.Sprint(at.Unix())}, "aws:multifactorauthage": {"300"},
		"aws:principaltag/department": {"orders"}, "aws:principaltag/star": {"*"}, "aws:principaltag/name": {"Bob"}, "aws:tagkeys": {"env", "team"},
		"aws:sourcearn": {"arn:aws:sns:us-east-1:111122223333:news"}, "test:bytes": {"QmluYXJ5VmFsdWVJbkJhc2U2NA=="},
	})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policies(t, tt.statement, "", "", "")
			for range 2 { // the second time it is remembered which statements matter
				d := Evaluate(&Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: ordersARN, Keys: keys}, p)
				if got := d.Outcome == Allowed; got != tt.want {
					t.Errorf("%s: got %v, want %v", tt.statement, got, tt.want)
				}
			}
		})
	}
}

// The version of 2008 has no variables.
func TestVariablesNeedTheirVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]Outcome{`"Version":"2012-10-17",`: Allowed, `"Version":"2008-10-17",`: ImplicitDeny, "": ImplicitDeny} {
		text := `{` + version + `"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:${aws:username}"}}`
		r := &Request{Principal: user(mine, "orders"), Action: "sqs:SendMessage", Resource: ordersARN, Keys: keysOf(map[string][]string{"aws:username": {"orders"}})}
		if got := Evaluate(r, policies(t, text, "", "", "")).Outcome; got != want {
			t.Errorf("%s got %v, want %v", version, got, want)
		}
	}
}

// TestEvaluateRAM has the documented policies of MNS (specs/mns-openapi.md 9, 10).
func TestEvaluateRAM(t *testing.T) {
	t.Parallel()
	const (
		sample = `{"Version":"1","Statement":[
 {"Effect":"Allow","Action":["mns:SendMessage","mns:BatchSendMessage"],"Resource":"acs:mns:*:*:/queues/orders/messages"},
 {"Effect":"Deny","Action":"mns:*","Resource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":["10.0.0.0/8","127.0.0.1"]}}}]}`
		onlyHTTPS = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:*","Resource":"*"},{"Effect":"Deny","Action":"mns:*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"false"}}}]}`
		readOnly  = `{"Version":"1","Statement":[{"Action":["mns:Get*","mns:Query*","mns:Desc*","mns:List*"],"Resource":"*","Effect":"Allow"}]}`
		single    = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"*"}]}`
		butSingle = `{"Version":"1","Statement":[{"Effect":"Allow","NotAction":"mns:DeleteMessage","Resource":"*"}]}`
		onlySends = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","NotAction":"mns:SendMessage","Resource":"*"}]}`
		noBatch   = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:*","Resource":"*"},{"Effect":"Deny","Action":"mns:BatchSendMessage","Resource":"*"}]}`
	)
	const messages = "acs:mns:cn-hangzhou:1111222233334444:/queues/orders/messages"
	tests := map[string]struct {
		policy, action, also, resource, address, secure string
		want                                            Outcome
	}{
		"sample":                        {sample, "mns:SendMessage", "", messages, "10.1.2.3", "false", Allowed},
		"sample, from elsewhere":        {sample, "mns:SendMessage", "", messages, "192.0.2.1", "false", ExplicitDeny},
		"sample, another queue":         {sample, "mns:SendMessage", "", strings.Replace(messages, "orders", "bills", 1), "10.1.2.3", "false", ImplicitDeny},
		"sample, the queue itself":      {sample, "mns:SendMessage", "", strings.TrimSuffix(messages, "/messages"), "10.1.2.3", "false", ImplicitDeny},
		"sample, another action":        {sample, "mns:ReceiveMessage", "", messages, "127.0.0.1", "false", ImplicitDeny},
		"https":                         {onlyHTTPS, "mns:SendMessage", "", messages, "10.1.2.3", "true", Allowed},
		"https, plain":                  {onlyHTTPS, "mns:SendMessage", "", messages, "10.1.2.3", "false", ExplicitDeny},
		"read only, get":                {readOnly, "mns:GetQueueAttributes", "", messages, "10.1.2.3", "true", Allowed},
		"read only, set":                {readOnly, "mns:SetQueueAttributes", "", messages, "10.1.2.3", "true", ImplicitDeny},
		"a batch by its single action":  {single, "mns:BatchSendMessage", "mns:SendMessage", messages, "10.1.2.3", "true", Allowed},
		"a batch is denied":             {noBatch, "mns:BatchSendMessage", "mns:SendMessage", messages, "10.1.2.3", "true", ExplicitDeny},
		"all but the single action":     {butSingle, "mns:BatchDeleteMessage", "mns:DeleteMessage", messages, "10.1.2.3", "true", ImplicitDeny},
		"none but the single action":    {onlySends, "mns:BatchSendMessage", "mns:SendMessage", messages, "10.1.2.3", "true", Allowed},
		"none but another action":       {onlySends, "mns:BatchDeleteMessage", "mns:DeleteMessage", messages, "10.1.2.3", "true", ExplicitDeny},
		"a batch is denied, not single": {noBatch, "mns:SendMessage", "", messages, "10.1.2.3", "true", Allowed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Request{Principal: user("1111222233334444", "Bob"), Action: tt.action, Also: tt.also, Resource: tt.resource,
				Keys: keysOf(map[string][]string{"acs:sourceip": {tt.address}, "acs:securetransport": {tt.secure}})}
			if got := Evaluate(r, policies(t, tt.policy, "", "", "")).Outcome; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestEvaluateTrust assumes roles.
func TestEvaluateTrust(t *testing.T) {
	t.Parallel()
	trust := func(principal, condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"` + condition + `}}`
	}
	const allowAssume = `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::111122223333:role/worker"}`
	const bob, account, stranger = `{"AWS":"arn:aws:iam::111122223333:user/Bob"}`, `{"AWS":"111122223333"}`, `{"AWS":"arn:aws:iam::444455556666:root"}`
	const external = `,"Condition":{"StringEquals":{"sts:ExternalId":"42"}}`
	const role = `{"AWS":"arn:aws:iam::111122223333:role/first"}`
	session := Principal{Account: mine, Names: []string{"assumed-role/first/s1"}, Role: "role/first"}
	ramSession := session
	ramSession.Cloud = RAM
	ramTrust := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":{"RAM":["acs:ram::111122223333:role/first"]},"Action":"sts:AssumeRole"}]}`
	tests := map[string]struct {
		who             Principal
		identity, trust string
		language        Language
		want            Outcome
		kind            Kind
	}{
		"named":                            {user(mine, "Bob"), "", trust(bob, ""), AWS, Allowed, Trust},
		"named, of RAM":                    {user(mine, "Bob"), "", trust(bob, ""), RAM, ImplicitDeny, Identity},
		"named, of RAM, and allowed":       {user(mine, "Bob"), allowAssume, trust(bob, ""), RAM, Allowed, Trust},
		"not named, but allowed":           {user(mine, "Al"), allowAssume, trust(bob, ""), AWS, ImplicitDeny, Trust},
		"by account":                       {user(mine, "Al"), "", trust(account, ""), AWS, ImplicitDeny, Identity},
		"by account, and allowed":          {user(mine, "Al"), allowAssume, trust(account, ""), AWS, Allowed, Trust},
		"of another account":               {user(other, "Eve"), "", trust(stranger, ""), AWS, ImplicitDeny, Identity},
		"of another account, and allowed":  {user(other, "Eve"), allowAssume, trust(stranger, ""), AWS, Allowed, Trust},
		"a session of whom it names":       {session, "", trust(role, ""), AWS, Allowed, Trust},
		"a session of RAM's role":          {ramSession, allowAssume, trust(role, ""), AWS, ImplicitDeny, Trust},
		"a session of RAM, and allowed":    {ramSession, allowAssume, ramTrust, RAM, Allowed, Trust},
		"AWS's session, RAM's trust":       {session, allowAssume, ramTrust, RAM, ImplicitDeny, Trust},
		"a session, of RAM":                {session, "", trust(role, ""), RAM, ImplicitDeny, Identity},
		"an external id that is not given": {user(mine, "Bob"), "", trust(bob, external), AWS, ImplicitDeny, Trust},
		"denied at home":                   {user(mine, "Bob"), `{"Effect":"Deny","Action":"sts:*","Resource":"*"}`, trust(bob, ""), AWS, ExplicitDeny, Identity},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &Policies{Identity: list(parse(t, Identity, tt.identity)), Resource: parse(t, Trust, tt.trust)}
			r := &Request{Principal: tt.who, Action: "sts:AssumeRole", Resource: "arn:aws:iam::111122223333:role/worker", Owner: mine}
			if got := EvaluateTrust(tt.language, r, p); got.Outcome != tt.want || got.Kind != tt.kind {
				t.Errorf("got %v by %v, want %v by %v", got.Outcome, got.Kind, tt.want, tt.kind)
			}
		})
	}
}

// The decision names the policy and the statement.
func TestDecisionNamesItsStatement(t *testing.T) {
	t.Parallel()
	p := policies(t, allowAll+","+denySend, "", "", "")
	d := Evaluate(&Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: ordersARN}, p)
	if d.Policy != "identity-based policy" || d.Statement == nil || d.Statement.Sid != "NoSending" || d.Statement.Index != 1 {
		t.Errorf("got %+v", d)
	}
	if got, want := d.Because("sqs:sendmessage"), "with an explicit deny in an identity-based policy"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	d = Evaluate(&Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: ordersARN}, policies(t, allowSend, allowOther, "", ""))
	if got, want := d.Because("sqs:sendmessage"), "because no permissions boundary allows the sqs:sendmessage action"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What a policy remembers is bounded, and never mixed up.
func TestRelevantStatementsAreBounded(t *testing.T) {
	t.Parallel()
	p := policies(t, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:111122223333:q1*"}`, "", "", "")
	for round := range 3 {
		if round == 1 {
			p.Remember()
		}
		for i := range 3 * maxRelevant {
			name := fmt.Sprintf("q%d", i)
			d := Evaluate(&Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111122223333:" + name}, p)
			if got, want := d.Outcome == Allowed, strings.HasPrefix(name, "q1"); got != want {
				t.Fatalf("%s: got %v, want %v", name, got, want)
			}
		}
	}
	if n := len(p.Identity[0].relevant.known); n > maxRelevant {
		t.Errorf("%d operations are remembered", n)
	}
	if n := len(p.relevant.known); n > maxRelevantOwn {
		t.Errorf("%d operations are remembered of all policies", n)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	var c Cache
	const text = `{"Version":"2012-10-17","Statement":` + allowSend + `}`
	first, err := c.Parse(AWS, text, Identity)
	if err != nil {
		t.Fatal(err)
	}
	if second, _ := c.Parse(AWS, text, Identity); second != first {
		t.Error("the same text was read twice")
	}
	if other, err := c.Parse(AWS, text, Resource); err != nil || other == first || !other.ForNobody() {
		t.Errorf("an identity's policy was taken for a resource's: %v", err)
	}
	if _, err := c.Parse(AWS, text, Trust); err == nil {
		t.Error("an identity's policy was taken for one of trust")
	}
	if _, err := c.Parse(RAM, text, Identity); err == nil {
		t.Error("a policy of AWS was taken for one of RAM")
	}
	filler := strings.Repeat(" ", MaxBytes-2000)
	for i := range maxCached/len(filler) + 2 {
		_, _ = c.Parse(AWS, fmt.Sprint(i)+filler, Identity)
	}
	if c.bytes > maxCached {
		t.Errorf("%d bytes are kept", c.bytes)
	}
	if !slices.Contains([]string{"implicitDeny", "explicitDeny", "allowed"}, Allowed.String()) {
		t.Error(Allowed.String())
	}
}
