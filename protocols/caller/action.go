package caller

import (
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
)

// resourcesOf are the services in the ARNs of what actions are about, where these are others than the action's own.
var resourcesOf = map[string][]string{"sts": {"sts", "iam", "ram"}}

// check says what is wrong with a question: an action that no policy decides about, or a resource that the action
// is not about. Else a slip of the finger would read as a denial.
func (q *Question) check(known []string) error {
	service, _, named := strings.Cut(q.Action, ":")
	service = strings.ToLower(service)
	switch {
	case len(known) == 0: // nobody has said which there are
		return nil
	case !named || strings.ContainsAny(q.Action, "*?"):
		return core.Errorf(core.InvalidArgument, "the action is one of a service, such as sqs:SendMessage, unlike %.128q", q.Action)
	case !slices.ContainsFunc(known, func(action string) bool { return strings.EqualFold(action, q.Action) }):
		return core.Errorf(core.InvalidArgument, "there is no action %.128q: %s", q.Action, suggest(known, q.Action))
	case q.Resource == "*":
		return nil
	}
	of, _, _, rest := splitARN(q.Resource)
	about, others := resourcesOf[service]
	if !others {
		about = []string{service}
	}
	switch {
	case of == "" || rest == "":
		return core.Errorf(core.InvalidArgument, "the resource is an ARN, such as arn:aws:sqs:us-east-1:111122223333:orders or acs:mns:cn-hangzhou:111122223333:/queues/orders/messages, or * for everything, unlike %.256q", q.Resource)
	case !slices.Contains(about, of):
		return core.Errorf(core.InvalidArgument, "%s is about what %s has, and %.256q is of %s", q.Action, strings.Join(about, " or "), q.Resource, of)
	}
	return nil
}

// maxSlips is how many letters a suggestion may differ in.
const maxSlips = 4

// suggest tells which action may have been meant.
func suggest(known []string, action string) string {
	nearest, least := "", maxSlips+1
	var services []string
	for _, candidate := range known {
		n := slips(strings.ToLower(candidate), strings.ToLower(action))
		if strings.HasPrefix(strings.ToLower(action), strings.ToLower(candidate)) { // of a batch, the single action
			n = 1
		}
		if n < least {
			nearest, least = candidate, n
		}
		service, _, _ := strings.Cut(candidate, ":")
		services = append(services, service)
	}
	if nearest != "" {
		return "is it " + nearest + "?"
	}
	slices.Sort(services)
	return "policies decide about actions of " + strings.Join(slices.Compact(services), ", ")
}

// slips counts the letters that must be put in, taken out or replaced to make one text of the other.
func slips(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
