package sns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// Kinds of records about mobile push.
const (
	applicationKind = "sns.application" // by platform/name
	endpointKind    = "sns.endpoint"    // by platform/name/id
	deviceKind      = "sns.device"      // an endpoint's id, by platform/name/hash of its token
)

// Names of attributes.
const (
	enabled            = "Enabled"
	deviceToken        = "Token"
	customUserData     = "CustomUserData"
	platformCredential = "PlatformCredential"
	platformPrincipal  = "PlatformPrincipal"
	sampleRate         = "SuccessFeedbackSampleRate"
)

// platforms are the services that push to devices.
var platforms = []string{"ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "GCM", "MACOS", "MACOS_SANDBOX", "MPNS", "WNS"}

// applicationAttributes are those of a platform application, the credentials apart, which are not
// kept.
var applicationAttributes = []string{
	enabled, "EventEndpointCreated", "EventEndpointDeleted", "EventEndpointUpdated", "EventDeliveryFailure", "SuccessFeedbackRoleArn",
	"FailureFeedbackRoleArn", sampleRate, "ApplePlatformTeamID", "ApplePlatformBundleID",
}

// Bounds of mobile push.
const (
	maxPlatformName      = 256
	maxCustomUserData    = 2048
	maxDeviceToken       = 8192
	uuidLength           = 36
	maxPlatformAttribute = 8192
)

// platformName names a platform application, or an endpoint of one where it has an id.
type platformName struct {
	account, region, platform, name, id string
}

func (n platformName) application() platformName {
	n.id = ""
	return n
}

func (n platformName) arn() string {
	if n.id == "" {
		return makeARN(n.region, n.account, "app/"+n.platform+"/"+n.name)
	}
	return makeARN(n.region, n.account, "endpoint/"+n.platform+"/"+n.name+"/"+n.id)
}

func (n platformName) record() core.RecordName {
	if n.id == "" {
		return core.RecordName{Account: n.account, Region: n.region, Kind: applicationKind, Name: n.platform + "/" + n.name}
	}
	return core.RecordName{Account: n.account, Region: n.region, Kind: endpointKind, Name: n.platform + "/" + n.name + "/" + n.id}
}

// device names the record that finds an endpoint by its token.
func (n platformName) device(token string) core.RecordName {
	sum := sha256.Sum256([]byte(token))
	return core.RecordName{Account: n.account, Region: n.region, Kind: deviceKind, Name: n.platform + "/" + n.name + "/" + hex.EncodeToString(sum[:])}
}

// readPlatformARN reads the ARN of an application or, in parts, of an endpoint.
func readPlatformARN(parameter, kind string, parts int, text *string) (platformName, error) {
	if text == nil {
		return platformName{}, required(strings.ToLower(parameter[:1]) + parameter[1:])
	}
	a, err := parseARN(parameter, *text)
	if err != nil {
		return platformName{}, err
	}
	path := strings.Split(a.resource, "/")
	if len(path) != parts {
		return platformName{}, invalid("%s Reason: Wrong number of slashes in relative portion of the ARN.", parameter)
	}
	if a.service != "sns" || path[0] != kind || !core.IsAccount(a.account) || !caller.IsRegion(a.region) {
		return platformName{}, invalid("%s", parameter)
	}
	return platformName{a.account, a.region, path[1], path[2], strings.Join(path[3:], "")}, nil
}

func readApplicationARN(text *string) (platformName, error) {
	return readPlatformARN("PlatformApplicationArn", "app", 3, text)
}

func readEndpointARN(text string) (platformName, error) {
	return readPlatformARN("EndpointArn", "endpoint", 4, &text)
}

// endpointName reads the ARN of an endpoint that a request is about.
func endpointName(arn *string) (platformName, error) {
	name, err := readPlatformARN("EndpointArn", "endpoint", 4, arn)
	if err == nil && len(name.id) != uuidLength {
		err = invalid("EndpointArn Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly %d characters.", uuidLength)
	}
	return name, err
}

// isEndpointARN says that an ARN is that of an endpoint, be it well-formed or not.
func isEndpointARN(text string) bool {
	a, _, ok := readARN(text)
	return ok && strings.HasPrefix(a.resource, "endpoint/")
}

// platformEndpoint is a device that pushes go to.
type platformEndpoint struct {
	Attributes map[string]string
}

// application gives the attributes of an application, ok false when there is none.
func (s *Server) application(ctx context.Context, name platformName) (attributes map[string]string, ok bool, err error) {
	text, ok, err := s.broker.Record(ctx, name.record())
	if err != nil || !ok {
		return nil, false, err
	}
	if err := json.Unmarshal([]byte(text), &attributes); err != nil {
		return nil, false, fmt.Errorf("read platform application %s: %w", name.name, err)
	}
	return attributes, true, nil
}

// mustHaveApplication says that there is no such application.
func (s *Server) mustHaveApplication(ctx context.Context, name platformName) (map[string]string, error) {
	attributes, ok, err := s.application(ctx, name)
	if err == nil && !ok {
		err = notFound.errorf("PlatformApplication does not exist")
	}
	return attributes, err
}

// endpoint gives an endpoint, ok false when there is none.
func (s *Server) endpoint(ctx context.Context, name platformName) (endpoint platformEndpoint, ok bool, err error) {
	text, ok, err := s.broker.Record(ctx, name.record())
	if err != nil || !ok {
		return endpoint, false, err
	}
	if err := json.Unmarshal([]byte(text), &endpoint.Attributes); err != nil {
		return endpoint, false, fmt.Errorf("read platform endpoint %s: %w", name.id, err)
	}
	return endpoint, true, nil
}

func (s *Server) mustHaveEndpoint(ctx context.Context, arn *string) (name platformName, endpoint platformEndpoint, err error) {
	if name, err = endpointName(arn); err != nil {
		return name, endpoint, err
	}
	endpoint, ok, err := s.endpoint(ctx, name)
	if err == nil && !ok {
		err = notFound.errorf("Endpoint does not exist")
	}
	return name, endpoint, err
}

// maxEndpointChanges bounds how often a change of an endpoint starts anew because somebody else changes it.
const maxEndpointChanges = 32

// untilDone makes a change of an endpoint, again where somebody else was faster.
func untilDone(change func() (done bool, err error)) error {
	for range maxEndpointChanges {
		if done, err := change(); err != nil || done {
			return err
		}
	}
	return core.Errorf(core.Unavailable, "the endpoint keeps changing")
}

// tokenChanges gives what changes of the records that find an endpoint by its token, where that was one and is another; "" is none.
// A token can be of one endpoint only.
func (s *Server) tokenChanges(ctx context.Context, name platformName, was, is string) (changes []core.RecordChange, err error) {
	if was == is {
		return nil, nil
	}
	if was != "" {
		owner, _, err := s.broker.Record(ctx, name.device(was))
		if err != nil {
			return nil, err
		}
		if owner == name.id {
			changes = append(changes, core.RecordChange{Name: name.device(was), Was: owner})
		}
	}
	if is != "" {
		owner, taken, err := s.broker.Record(ctx, name.device(is))
		if err != nil {
			return nil, err
		}
		if taken && owner != name.id {
			name.id = owner
			return nil, tokenTaken(name)
		}
		if !taken {
			changes = append(changes, core.RecordChange{Name: name.device(is), Value: name.id})
		}
	}
	return changes, nil
}

// tokenTaken says that there is another endpoint of a token. SDKs' users read its ARN out of the text.
func tokenTaken(name platformName) error {
	return invalid("Token Reason: Endpoint %s already exists with the same Token, but different attributes.", name.arn())
}

// checkEndpointAttributes checks attributes that an endpoint is given.
func checkEndpointAttributes(given aws.Map[string]) error {
	for _, pair := range given {
		switch pair.Key {
		case enabled:
			if v := strings.ToLower(pair.Value); v != "true" && v != "false" {
				return invalid("Attributes Reason: Invalid value for attribute: Enabled: must be true or false")
			}
		case customUserData:
			if len(pair.Value) > maxCustomUserData {
				return invalid("Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding")
			}
		case deviceToken:
			if reason := checkDeviceToken(pair.Value); reason != "" {
				return invalid("Attributes Reason: Invalid value for attribute: Token: %s", reason)
			}
		default:
			return invalid("Attributes Reason: Invalid attribute name: %s", short(pair.Key))
		}
	}
	return nil
}

// checkDeviceToken says what is wrong with a token, "" for nothing.
func checkDeviceToken(token string) string {
	switch {
	case token == "":
		return "cannot be empty"
	case len(token) > maxDeviceToken:
		return fmt.Sprintf("must be at most %d bytes long in UTF-8 encoding", maxDeviceToken)
	}
	return ""
}

// checkApplicationAttributes checks attributes that an application is given, and leaves out the
// credentials.
func checkApplicationAttributes(platform string, given aws.Map[string]) (map[string]string, error) {
	kept := map[string]string{}
	for _, pair := range given {
		switch {
		case len(pair.Value) > maxPlatformAttribute || !core.ValidText([]byte(pair.Value)):
			return nil, invalid("Attributes Reason: Invalid value for attribute: %s", short(pair.Key))
		case pair.Key == platformCredential || pair.Key == platformPrincipal:
			continue
		case !slices.Contains(applicationAttributes, pair.Key):
			return nil, invalid("Attributes Reason: Invalid attribute name: %s", short(pair.Key))
		case pair.Key == sampleRate && !isPercentage(pair.Value):
			return nil, invalid("Attributes Reason: Invalid value for attribute: %s: %s", sampleRate, noPercentage(pair.Value))
		}
		kept[pair.Key] = pair.Value
	}
	_, credential := given.Get(platformCredential)
	_, principal := given.Get(platformPrincipal)
	switch {
	case principal && !credential:
		return nil, invalid("Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential")
	case credential && !principal && platform != "GCM" && platform != "MPNS":
		return nil, invalid("Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal")
	}
	return kept, nil
}

// sortedMap gives attributes by their names.
func sortedMap(attributes map[string]string) aws.Map[string] {
	var sorted aws.Map[string]
	for key, value := range attributes {
		sorted = append(sorted, aws.Pair[string]{Key: key, Value: value})
	}
	slices.SortFunc(sorted, func(a, b aws.Pair[string]) int { return strings.Compare(a.Key, b.Key) })
	return sorted
}

// shown gives an endpoint's attributes as they are shown.
func (e platformEndpoint) shown() aws.Map[string] {
	var shown aws.Map[string]
	for _, pair := range sortedMap(e.Attributes) {
		if pair.Value != "" {
			shown = append(shown, pair)
		}
	}
	return shown
}
