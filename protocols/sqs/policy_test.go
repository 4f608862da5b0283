package sqs

import (
	"fmt"
	"strings"
	"testing"
)

// A queue's policy is one, or it is refused; the service's bounds hold (specs/sqs.md 9).
func TestFactsPolicies(t *testing.T) {
	statement := func(principal, action, condition string) string {
		return `{"Effect":"Allow","Principal":` + principal + `,"Action":` + action + `,"Resource":"*"` + condition + `}`
	}
	many := func(n int, text string) string { return "[" + strings.Repeat(text+",", n-1) + text + "]" }
	send := statement(`"*"`, `"sqs:SendMessage"`, "")
	principals := func(n int) string { return statement(`{"AWS":`+many(n, `"111122223333"`)+`}`, `"SQS:*"`, "") }
	conditions := func(n int) string {
		var keys []string
		for i := range n {
			keys = append(keys, fmt.Sprintf(`"aws:RequestTag/%d":"x"`, i))
		}
		return statement(`"*"`, `"*"`, `,"Condition":{"StringEquals":{`+strings.Join(keys, ",")+`}}`)
	}
	tests := map[string]struct {
		statements string
		want       wireError
	}{
		"none":                   {`[]`, wireError{}},
		"one":                    {send, wireError{}},
		"20 statements":          {many(20, send), wireError{}},
		"21 statements":          {many(21, send), overLimit},
		"7 actions":              {statement(`"*"`, many(7, `"sqs:SendMessage"`), ""), wireError{}},
		"8 actions":              {statement(`"*"`, many(8, `"sqs:SendMessage"`), ""), overLimit},
		"50 principals":          {principals(50), wireError{}},
		"51 principals":          {principals(51), overLimit},
		"10 conditions":          {conditions(10), wireError{}},
		"11 conditions":          {conditions(11), overLimit},
		"another service's":      {statement(`"*"`, `["sqs:SendMessage","sns:Publish"]`, ""), invalidValue},
		"nobody":                 {`[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]`, wireError{}},
		"nobody, not in a list":  {`{"Effect":"Allow","Action":"*","Resource":"*"}`, wireError{}},
		"an empty principal":     {statement(`{}`, `"sqs:*"`, ""), invalidValue},
		"nothing":                {`{"Effect":"Allow","Action":"sqs:*"}`, invalidValue},
		"an operator of nobody":  {statement(`"*"`, `"sqs:*"`, `,"Condition":{"Equals":{"aws:username":"x"}}`), invalidValue},
		"a statement that is no": {`["x"]`, invalidValue},
		"statements that are no": {`"x"`, invalidValue},
	}
	facts(t, map[string]func(*client){"9 policies": func(c *client) {
		url := c.newQueue("q")
		for name, tt := range tests {
			policy := `{"Version":"2012-10-17","Statement":` + tt.statements + `}`
			set := m{"QueueUrl": url, "Attributes": map[string]string{"Policy": policy}}
			if tt.want == (wireError{}) {
				if c.ok("SetQueueAttributes", set); c.attributesOf(url)["Policy"] != policy {
					c.Errorf("%s: it was not kept", name)
				}
				continue
			}
			before := c.attributesOf(url)["Policy"]
			c.refused("SetQueueAttributes", set, tt.want, "")
			if got := c.attributesOf(url)["Policy"]; got != before {
				c.Errorf("%s: it was kept though it was refused", name)
			}
		}
	}})
}
