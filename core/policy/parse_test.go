package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	one := func(statement string) string { return `{"Version":"2012-10-17","Statement":[` + statement + `]}` }
	const good, queue = `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`, `{"Effect":"Allow","Principal":"*","Action":"sqs:*","Resource":"*"}`
	ram := func(text string) string { return strings.Replace(one(text), "2012-10-17", "1", 1) }
	tests := map[string]struct {
		language Language
		kind     Kind
		text     string
		want     string // in the error; "": none
	}{
		"one":                              {AWS, Identity, one(good), ""},
		"one, not in a list":               {AWS, Identity, `{"Statement":` + good + `}`, ""},
		"two":                              {AWS, Identity, one(good + "," + good), ""},
		"an id":                            {AWS, Resource, `{"Version":"2008-10-17","Id":"x/SQSDefaultPolicy","Statement":[` + queue + `]}`, ""},
		"a boundary":                       {AWS, Boundary, one(good), ""},
		"a session's":                      {AWS, Session, one(good), ""},
		"RAM":                              {RAM, Identity, ram(`{"Effect":"Allow","Action":"mns:*","Resource":"acs:mns:*:*:/queues/*"}`), ""},
		"RAM, trust":                       {RAM, Trust, ram(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1234567890123456:root","acs:ram::123456789012:user/Bob"],"Service":["ecs.aliyuncs.com"]}}`), ""},
		"trust":                            {AWS, Trust, one(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Federated":"cognito-identity.amazonaws.com","AWS":"111122223333"}}`), ""},
		"no JSON":                          {AWS, Identity, `{`, "valid JSON"},
		"nothing":                          {AWS, Identity, ``, "valid JSON"},
		"a list":                           {AWS, Identity, `[]`, "must be a JSON object"},
		"something behind":                 {AWS, Identity, one(good) + `{}`, "something behind"},
		"no UTF-8":                         {AWS, Identity, one(good) + "\xff", "UTF-8"},
		"a name twice":                     {AWS, Identity, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}]}`, "given twice"},
		"another version":                  {AWS, Identity, `{"Version":"1","Statement":[` + good + `]}`, "Version"},
		"RAM, another version":             {RAM, Identity, one(good), "Version"},
		"a version that is a number":       {AWS, Identity, `{"Version":1,"Statement":[` + good + `]}`, "Version"},
		"no statement":                     {AWS, Identity, `{"Version":"2012-10-17"}`, "needs a Statement"},
		"no statements":                    {AWS, Identity, one(``), "needs a Statement"},
		"a statement that is a text":       {AWS, Identity, one(`"x"`), "must be an object"},
		"an element that is none":          {AWS, Identity, `{"Statements":1}`, "no element"},
		"an element of a statement":        {AWS, Identity, one(`{"Effect":"Allow","Actions":"sqs:*","Resource":"*"}`), `no element "Actions"`},
		"no effect":                        {AWS, Identity, one(`{"Action":"sqs:*","Resource":"*"}`), "Effect"},
		"another effect":                   {AWS, Identity, one(`{"Effect":"allow","Action":"sqs:*","Resource":"*"}`), "Effect"},
		"no action":                        {AWS, Identity, one(`{"Effect":"Allow","Resource":"*"}`), "Action"},
		"an action and not an action":      {AWS, Identity, one(`{"Effect":"Allow","Action":"sqs:*","NotAction":"sqs:*","Resource":"*"}`), "NotAction"},
		"an action without a service":      {AWS, Identity, one(`{"Effect":"Allow","Action":"SendMessage","Resource":"*"}`), "vendor"},
		"an action of all services":        {AWS, Identity, one(`{"Effect":"Allow","Action":"*:SendMessage","Resource":"*"}`), "vendor"},
		"an action that is empty":          {AWS, Identity, one(`{"Effect":"Allow","Action":"","Resource":"*"}`), "Action"},
		"actions that are empty":           {AWS, Identity, one(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "Action"},
		"no resource":                      {AWS, Identity, one(`{"Effect":"Allow","Action":"sqs:*"}`), "Resource"},
		"a resource that is no ARN":        {AWS, Identity, one(`{"Effect":"Allow","Action":"sqs:*","Resource":"orders"}`), "ARN"},
		"RAM, a resource of AWS":           {RAM, Identity, ram(`{"Effect":"Allow","Action":"mns:*","Resource":"arn:aws:sqs:::x"}`), "ARN"},
		"a principal of a user's policy":   {AWS, Identity, one(queue), "has no Principal"},
		"a queue's policy without":         {AWS, Resource, one(good), ""},
		"trust in nobody":                  {AWS, Trust, one(`{"Effect":"Allow","Action":"sts:AssumeRole"}`), "needs Principal"},
		"two principals":                   {AWS, Resource, one(queue[:len(queue)-1] + `,"NotPrincipal":"*"}`), "either Principal or NotPrincipal"},
		"trust with a resource":            {AWS, Trust, one(queue), "has no Resource"},
		"trust in all but one":             {AWS, Trust, one(`{"Effect":"Allow","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`), "has no NotPrincipal"},
		"trust denied to all but one":      {AWS, Trust, one(`{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}`), "has no NotPrincipal"},
		"trust in all but one, RAM":        {RAM, Trust, ram(`{"Effect":"Allow","NotPrincipal":{"RAM":"acs:ram::1234567890123456:root"},"Action":"sts:AssumeRole"}`), "has no NotPrincipal"},
		"trust with another service":       {AWS, Trust, one(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["sts:AssumeRole","sqs:SendMessage"]}`), "only specify STS"},
		"trust without another service":    {AWS, Trust, one(`{"Effect":"Deny","Principal":{"AWS":"111122223333"},"NotAction":"sqs:*"}`), "only specify STS"},
		"trust in STS's capitals":          {AWS, Trust, one(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":["STS:AssumeRole","sts:TagSession"]}`), ""},
		"trust with every action":          {AWS, Trust, one(`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"*"}`), ""},
		"a principal with a wildcard":      {AWS, Resource, one(strings.Replace(queue, `"*"`, `{"AWS":"arn:aws:iam::111122223333:user/*"}`, 1)), "Invalid principal"},
		"a principal that is no account":   {AWS, Resource, one(strings.Replace(queue, `"*"`, `{"AWS":"11112222333"}`, 1)), "Invalid principal"},
		"a principal of another type":      {AWS, Resource, one(strings.Replace(queue, `"*"`, `{"RAM":"x"}`, 1)), "not known"},
		"no principals":                    {AWS, Resource, one(strings.Replace(queue, `"*"`, `{}`, 1)), "Principal"},
		"a sid twice":                      {AWS, Identity, one(`{"Sid":"a",` + good[1:] + `,{"Sid":"a",` + good[1:]), "unique"},
		"a condition of another operator":  {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"StringIs":{"aws:username":"x"}}}`), "StringIs"},
		"a condition on no key":            {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"StringEquals":{"username":"x"}}}`), "vendor"},
		"a condition without values":       {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"StringEquals":"x"}}`), "keys and values"},
		"a condition on a network":         {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/33"}}}`), "10.0.0.0/33"},
		"a condition on a date":            {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"DateLessThan":{"aws:CurrentTime":"tomorrow"}}}`), "tomorrow"},
		"a condition on a number":          {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"NumericLessThan":{"a:b":"NaN"}}}`), "number"},
		"a condition on a truth":           {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"Bool":{"a:b":"yes"}}}`), "true or false"},
		"a condition on bytes":             {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"BinaryEquals":{"a:b":"?"}}}`), "base64"},
		"Null with a set":                  {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"ForAnyValue:Null":{"a:b":"true"}}}`), "ForAnyValue:Null"},
		"a variable without an end":        {AWS, Identity, one(strings.Replace(good, `"*"`, `"arn:aws:sqs:a:b:${aws:username"`, 1)), "no end"},
		"a variable that is none":          {AWS, Identity, one(strings.Replace(good, `"*"`, `"arn:aws:sqs:a:b:${}"`, 1)), "variable"},
		"a variable with a default":        {AWS, Identity, one(strings.Replace(good, `"*"`, `"arn:aws:sqs:a:b:${aws:x, none}"`, 1)), "quotes"},
		"too long":                         {AWS, Identity, one(good) + strings.Repeat(" ", MaxBytes), "bytes"},
		"too deep":                         {AWS, Identity, strings.Repeat(`{"Statement":`, 50) + strings.Repeat("}", 50), "deep"},
		"too many values":                  {AWS, Identity, one(`{"Effect":"Allow","Action":[` + strings.Repeat(`"*",`, maxValues) + `"*"],"Resource":"*"}`), "values"},
		"an element in another spelling":   {AWS, Identity, one(`{"effect":"Allow","Action":"*","Resource":"*"}`), "no element"},
		"a condition value that is object": {AWS, Identity, one(good[:len(good)-1] + `,"Condition":{"StringEquals":{"a:b":{}}}}`), "must be strings"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := tt.language.Parse(tt.text, tt.kind)
			var syntax *SyntaxError
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.want == "" && len(p.Statements) == 0:
				t.Error("there are no statements")
			case tt.want != "" && (!errors.As(err, &syntax) || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want a SyntaxError with %q", err, tt.want)
			}
		})
	}
}

// Whatever is written: no panic, and what is read can be evaluated.
func FuzzParse(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Principal":{"AWS":["*","111122223333"]},"Action":"sqs:*","Resource":"arn:aws:sqs:*:*:${aws:username}*?"}]}`)
	f.Add(`{"Version":"1","Statement":[{"Effect":"Deny","NotAction":"mns:*","NotResource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":["10.0.0.0/8"]},"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a*"]}}}]}`)
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":["sqs:S*"],"Resource":"*","Condition":{"DateLessThan":{"aws:CurrentTime":"2026"},"Null":{"a:b":true},"NumericEquals":{"a:b":1},"ArnLike":{"aws:SourceArn":"arn:*"}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, language := range []Language{AWS, RAM} {
			for kind := Identity; kind <= Trust; kind++ {
				p, err := language.Parse(text, kind)
				if syntax := (*SyntaxError)(nil); err != nil && !errors.As(err, &syntax) {
					t.Fatalf("%v is no SyntaxError", err)
				}
				if err != nil {
					continue
				}
				r := &Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: ordersARN, Keys: func(key string) []string { return []string{key, "1"} }}
				resource := &Named{Policy: p}
				if len(p.Statements) == 0 || Evaluate(r, &Policies{Identity: []Named{{Policy: p}}, Resource: resource}).Outcome == Allowed && !allowsAnything(p) {
					t.Errorf("%s allows without an Allow", text)
				}
			}
		}
	})
}

func allowsAnything(p *Policy) bool {
	for _, s := range p.Statements {
		if s.Allow {
			return true
		}
	}
	return false
}

// naiveGlob is as plain as a matcher can be; its time grows with the power of the stars.
func naiveGlob(pattern, text []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(text) == 0
	case pattern[0] == '*':
		return naiveGlob(pattern[1:], text) || len(text) > 0 && naiveGlob(pattern, text[1:])
	case len(text) == 0:
		return false
	}
	return (pattern[0] == '?' || pattern[0] == text[0]) && naiveGlob(pattern[1:], text[1:])
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c*", "aXbYcZ")
	f.Add("*?é*", "éé")
	f.Add("**a**", "a")
	f.Add("*ab?", "abab")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "?"), strings.ToValidUTF8(text, "")
		if len(pattern) > 12 || len(text) > 20 || strings.Contains(pattern, "${") {
			return
		}
		p, err := newPattern(pattern, true)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := p.match(text), naiveGlob([]rune(pattern), []rune(text)); got != want {
			t.Errorf("%q on %q: got %v, want %v", pattern, text, got, want)
		}
	})
}

func ExampleDecision_Because() {
	p, _ := ParseAWS(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:Get*","Resource":"*"}}`, Identity)
	d := Evaluate(&Request{Principal: Principal{Account: "111122223333", Names: []string{"user/Bob"}}, Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111122223333:orders"},
		&Policies{Identity: []Named{{Name: "readers", Policy: p}}})
	fmt.Println(d.Outcome, d.Because("sqs:sendmessage"))
	// Output: implicitDeny because no identity-based policy allows the sqs:sendmessage action
}
