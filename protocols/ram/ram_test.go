package ram_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/ram"
)

const (
	account  = "111122223333"
	allowMNS = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:*","Resource":"*"}]}`
	trust    = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::111122223333:root"]}}]}`
)

// fixture is a RAM on a database of its own, and the key with which it is called.
type fixture struct {
	*testing.T
	broker *core.Broker
	url    string
	key    core.Key
	nonces int
}

// start starts one; auth is verify or enforce.
func start(t *testing.T, auth string) *fixture {
	t.Helper()
	store, err := pg.Open(t.Context(), pg.Options{URL: pgtest.DatabaseURL(t), PoolSize: pgtest.PoolSize, MasterKey: pg.NewMasterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	server := httptest.NewServer(ram.New(broker, &caller.Options{Keys: broker, Verify: true, Access: caller.NewAccess(broker, auth == "enforce")}))
	t.Cleanup(server.Close)
	f := &fixture{T: t, broker: broker, url: server.URL}
	f.key = f.newKey(core.NewKey{})
	return f
}

func (f *fixture) newKey(in core.NewKey) core.Key {
	f.Helper()
	in.Account = account
	key, err := f.broker.CreateKey(context.Background(), in)
	if err != nil {
		f.Fatal(err)
	}
	return key
}

// call signs a request by HMAC-SHA1, sends it and gives the status and the answer.
func (f *fixture) call(key core.Key, action string, parameters ...string) (int, string) {
	f.Helper()
	f.nonces++
	values := url.Values{
		"Action": {action}, "Version": {ram.Version}, "Format": {"JSON"}, "AccessKeyId": {key.ID}, "SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"},
		"SignatureNonce": {fmt.Sprint(f.nonces)}, "Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
	}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	escape := strings.NewReplacer("+", "%20", "%7E", "~")
	mac := hmac.New(sha1.New, []byte(string(key.Secret)+"&"))
	mac.Write([]byte("POST&%2F&" + escape.Replace(url.QueryEscape(escape.Replace(values.Encode())))))
	values.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := http.PostForm(f.url, values)
	if err != nil {
		f.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// must calls what is done, and gives the answer.
func (f *fixture) must(action string, parameters ...string) string {
	f.Helper()
	status, answer := f.call(f.key, action, parameters...)
	if status != http.StatusOK {
		f.Fatalf("%s: got %d %s", action, status, answer)
	}
	return answer
}

// refused calls what is refused with a code.
func (f *fixture) refused(want, action string, parameters ...string) {
	f.Helper()
	_, answer := f.call(f.key, action, parameters...)
	var said struct{ Code string }
	if err := json.Unmarshal([]byte(answer), &said); err != nil || said.Code != want {
		f.Errorf("%s: got %s, want %s", action, answer, want)
	}
}

func (f *fixture) has(answer string, wants ...string) {
	f.Helper()
	for _, want := range wants {
		if !strings.Contains(answer, want) {
			f.Errorf("%s lacks %s", answer, want)
		}
	}
}

func TestUsersAndKeys(t *testing.T) {
	t.Parallel()
	f := start(t, "verify")
	f.has(f.must("CreateUser", "UserName", "ann", "DisplayName", "Ann A.", "Email", "ann@example.com", "Comments", "c"), `"UserName":"ann"`, `"DisplayName":"Ann A."`, `"UserId":"`, `"CreateDate":"20`)
	f.refused("EntityAlreadyExists.User", "CreateUser", "UserName", "ann")
	f.refused("MissingUserName", "CreateUser")
	f.has(f.must("UpdateUser", "UserName", "ann", "NewUserName", "anna", "NewDisplayName", "Anna"), `"UserName":"anna"`, `"DisplayName":"Anna"`, `"Email":"ann@example.com"`, `"Comments":"c"`)
	f.has(f.must("GetUser", "UserName", "anna"), `"DisplayName":"Anna"`)
	f.refused("EntityNotExist.User", "GetUser", "UserName", "ann")
	f.has(f.must("ListUsers", "MaxItems", "1"), `"IsTruncated":false`, `"Users":{"User":[{`)

	var made struct {
		AccessKey struct{ AccessKeyId, AccessKeySecret, Status string }
	}
	if err := json.Unmarshal([]byte(f.must("CreateAccessKey", "UserName", "anna")), &made); err != nil || made.AccessKey.Status != "Active" {
		t.Fatal(made, err)
	}
	own := core.Key{ID: made.AccessKey.AccessKeyId, Secret: core.Secret(made.AccessKey.AccessKeySecret)}
	if status, answer := f.call(own, "GetUser", "UserName", "anna"); status != 200 {
		t.Errorf("with the new key: %s", answer)
	}
	f.must("CreateAccessKey", "UserName", "anna")
	f.refused("LimitExceeded.User.AccessKey", "CreateAccessKey", "UserName", "anna")
	f.must("UpdateAccessKey", "UserName", "anna", "UserAccessKeyId", own.ID, "Status", "Inactive")
	f.has(f.must("ListAccessKeys", "UserName", "anna"), `"Status":"Inactive"`, `"Status":"Active"`, `"AccessKeys":{"AccessKey":[`)
	f.refused("EntityNotExist.User.AccessKey", "DeleteAccessKey", "UserAccessKeyId", own.ID)
	f.refused("DeleteConflict.User.AccessKey", "DeleteUser", "UserName", "anna")
	f.must("DeleteAccessKey", "UserName", "anna", "UserAccessKeyId", own.ID)
	for _, key := range func() []core.Key {
		page, err := f.broker.ListKeys(t.Context(), core.ListKeysInput{Account: account, User: "anna", Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return page.Keys
	}() {
		f.must("DeleteAccessKey", "UserName", "anna", "UserAccessKeyId", key.ID)
	}
	f.must("DeleteUser", "UserName", "anna")
	f.has(f.must("ListUsers"), `"Users":{"User":[]}`)
}

func TestGroupsRolesAndPolicies(t *testing.T) {
	t.Parallel()
	f := start(t, "verify")
	f.must("CreateUser", "UserName", "ann")
	f.has(f.must("CreateGroup", "GroupName", "devs", "Comments", "c"), `"GroupName":"devs"`, `"Comments":"c"`)
	f.must("AddUserToGroup", "UserName", "ann", "GroupName", "devs")
	f.has(f.must("ListUsersForGroup", "GroupName", "devs"), `"UserName":"ann"`, `"JoinDate":"20`)
	f.has(f.must("ListGroupsForUser", "UserName", "ann"), `"GroupName":"devs"`, `"JoinDate":"20`)
	f.refused("DeleteConflict.Group.User", "DeleteGroup", "GroupName", "devs")
	f.refused("EntityNotExist.User", "AddUserToGroup", "UserName", "bob", "GroupName", "devs")
	f.refused("EntityNotExist.Group", "AddUserToGroup", "UserName", "ann", "GroupName", "ops")

	f.has(f.must("CreateRole", "RoleName", "worker", "AssumeRolePolicyDocument", trust, "MaxSessionDuration", "7200"), `"Arn":"acs:ram::111122223333:role/worker"`, `"MaxSessionDuration":7200`)
	f.has(f.must("UpdateRole", "RoleName", "worker", "NewMaxSessionDuration", "3600"), `"MaxSessionDuration":3600`)
	f.has(f.must("GetRole", "RoleName", "worker"), `sts:AssumeRole`)
	f.has(f.must("ListRoles"), `"Roles":{"Role":[{`)
	f.refused("MalformedPolicyDocument", "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", "trust me")
	f.refused("InvalidParameter", "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trust, "MaxSessionDuration", "0")
	f.refused("InvalidParameter", "CreateRole", "RoleName", "r", "AssumeRolePolicyDocument", trust, "MaxSessionDuration", "36028797018967568") // 3600 s, in nanoseconds of 64 bits
	f.refused("InvalidParameter", "UpdateRole", "RoleName", "worker", "NewMaxSessionDuration", "36028797018967568")

	f.has(f.must("CreatePolicy", "PolicyName", "queues", "PolicyDocument", allowMNS, "Description", "d"), `"PolicyType":"Custom"`, `"DefaultVersion":"v1"`)
	f.refused("EntityAlreadyExists.Policy", "CreatePolicy", "PolicyName", "AliyunMNSFullAccess", "PolicyDocument", allowMNS)
	f.must("AttachPolicyToUser", "PolicyName", "queues", "PolicyType", "Custom", "UserName", "ann")
	f.must("AttachPolicyToGroup", "PolicyName", "AliyunMNSReadOnlyAccess", "PolicyType", "System", "GroupName", "devs")
	f.must("AttachPolicyToRole", "PolicyName", "AliyunMNSFullAccess", "PolicyType", "System", "RoleName", "worker")
	f.refused("EntityNotExist.Policy", "AttachPolicyToUser", "PolicyName", "none", "PolicyType", "Custom", "UserName", "ann")
	f.has(f.must("ListPoliciesForUser", "UserName", "ann"), `"PolicyName":"queues"`, `"AttachDate":"20`)
	f.has(f.must("ListPoliciesForRole", "RoleName", "worker"), `"PolicyName":"AliyunMNSFullAccess"`, `"PolicyType":"System"`)
	f.has(f.must("ListEntitiesForPolicy", "PolicyName", "queues", "PolicyType", "Custom"), `"Users":{"User":[{`, `"UserName":"ann"`, `"Groups":{"Group":[]}`)
	f.has(f.must("ListPolicies", "PolicyType", "Custom"), `"queues"`)
	f.has(f.must("ListPolicies"), `"queues"`, `"AliyunMNSFullAccess"`)
	f.has(f.must("CreatePolicyVersion", "PolicyName", "queues", "PolicyDocument", allowMNS, "SetAsDefault", "true"), `"VersionId":"v2"`, `"IsDefaultVersion":true`)
	f.has(f.must("GetPolicy", "PolicyName", "queues", "PolicyType", "Custom"), `"DefaultVersion":"v2"`, `"DefaultPolicyVersion":{"VersionId":"v2"`, `"AttachmentCount":1`)
	f.refused("DeleteConflict.Policy.Version.Default", "DeletePolicyVersion", "PolicyName", "queues", "VersionId", "v2")
	f.must("SetDefaultPolicyVersion", "PolicyName", "queues", "VersionId", "v1")
	f.has(f.must("ListPolicyVersions", "PolicyName", "queues", "PolicyType", "Custom"), `"VersionId":"v1","IsDefaultVersion":true`)
	f.refused("EntityNotExist.Policy.Version", "GetPolicyVersion", "PolicyName", "queues", "PolicyType", "Custom", "VersionId", "v3")
	f.refused("DeleteConflict.Policy.Version", "DeletePolicy", "PolicyName", "queues")
	f.refused("DeleteConflict.Policy.User", "DeletePolicy", "PolicyName", "queues", "CascadingDelete", "true")
	f.refused("DeleteConflict.User.Policy", "DeleteUser", "UserName", "ann")
	f.must("DetachPolicyFromUser", "PolicyName", "queues", "PolicyType", "Custom", "UserName", "ann")
	f.refused("EntityNotExist.User.Policy", "DetachPolicyFromUser", "PolicyName", "queues", "PolicyType", "Custom", "UserName", "ann")
	f.refused("DeleteConflict.User.Group", "DeleteUser", "UserName", "ann")
	f.must("DeletePolicy", "PolicyName", "queues", "CascadingDelete", "true")

	f.must("SetAccountAlias", "AccountAlias", "team-a")
	f.has(f.must("GetAccountAlias"), `"AccountAlias":"team-a"`)
	f.must("ClearAccountAlias")
	f.refused("EntityNotExist.AccountAlias", "GetAccountAlias")
}

// TestRules has both sides of every bound of RAM's manual, each with the code that the manual has for it.
func TestRules(t *testing.T) {
	t.Parallel()
	f := start(t, "verify")
	f.must("CreateUser", "UserName", "ann")
	f.must("CreateGroup", "GroupName", "devs")
	f.must("CreateRole", "RoleName", "worker", "AssumeRolePolicyDocument", trust)
	f.must("CreatePolicy", "PolicyName", "queues", "PolicyDocument", allowMNS)
	long := func(n int) string { return strings.Repeat("x", n) }
	document := func(n int) string { // so many characters
		rest := len(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:","Resource":"*"}]}`)
		return strings.Replace(allowMNS, "mns:*", "mns:"+long(n-rest), 1)
	}
	for _, tt := range []struct{ code, action, parameters string }{ // parameters are name=value, with blanks between them; "" is no error
		{"InvalidParameter.UserName.InvalidChars", "CreateUser", "UserName=a+b"},
		{"InvalidParameter.UserName.InvalidChars", "CreateUser", "UserName=ann@example.com"},
		{"InvalidParameter.UserName.Length", "CreateUser", "UserName=" + long(65)},
		{"", "CreateUser", "UserName=" + long(64)},
		{"", "CreateUser", "UserName=a.b-c_D9 MobilePhone=86-18600008888 Email=a@example.com Comments=" + long(128) + " DisplayName=" + strings.Repeat("名", 128)},
		{"InvalidParameter.DisplayName.Length", "CreateUser", "UserName=u DisplayName=" + long(129)},
		{"InvalidParameter.Comments.Length", "CreateUser", "UserName=u Comments=" + long(129)},
		{"InvalidParameter.MobilePhone.Format", "CreateUser", "UserName=u MobilePhone=18600008888"},
		{"InvalidParameter.Email.Format", "CreateUser", "UserName=u Email=example.com"},
		{"InvalidParameter.NewUserName.InvalidChars", "UpdateUser", "UserName=ann NewUserName=a+b"},
		{"InvalidParameter.NewUserName.Length", "UpdateUser", "UserName=ann NewUserName=" + long(65)},
		{"InvalidParameter.NewDisplayName.Length", "UpdateUser", "UserName=ann NewDisplayName=" + long(129)},
		{"InvalidParameter.NewMobilePhone.Format", "UpdateUser", "UserName=ann NewMobilePhone=1"},
		{"InvalidParameter.NewEmail.Format", "UpdateUser", "UserName=ann NewEmail=@"},
		{"InvalidParameter.NewComments.Length", "UpdateUser", "UserName=ann NewComments=" + long(129)},
		{"", "UpdateUser", "UserName=ann NewUserName=ann NewComments=" + long(128)},
		{"InvalidParameter.GroupName.InvalidChars", "CreateGroup", "GroupName=a@b"},
		{"InvalidParameter.GroupName.Length", "CreateGroup", "GroupName=" + long(65)},
		{"", "CreateGroup", "GroupName=" + long(62) + "._ Comments=" + long(128)},
		{"InvalidParameter.Comments.Length", "CreateGroup", "GroupName=g Comments=" + long(129)},
		{"InvalidParameter.NewGroupName.InvalidChars", "UpdateGroup", "GroupName=devs NewGroupName=a@b"},
		{"InvalidParameter.NewGroupName.Length", "UpdateGroup", "GroupName=devs NewGroupName=" + long(65)},
		{"InvalidParameter.NewComments.Length", "UpdateGroup", "GroupName=devs NewComments=" + long(129)},
		{"InvalidParameter.RoleName.InvalidChars", "CreateRole", "RoleName=a_b AssumeRolePolicyDocument=" + trust},
		{"InvalidParameter.RoleName.Length", "CreateRole", "RoleName=" + long(65) + " AssumeRolePolicyDocument=" + trust},
		{"InvalidParameter.Description.Length", "CreateRole", "RoleName=r Description=" + long(1025) + " AssumeRolePolicyDocument=" + trust},
		{"", "CreateRole", "RoleName=" + long(62) + ".- Description=" + long(1024) + " AssumeRolePolicyDocument=" + trust},
		{"InvalidParameter.NewDescription.Length", "UpdateRole", "RoleName=worker NewDescription=" + long(1025)},
		{"InvalidParameter.PolicyName.InvalidChars", "CreatePolicy", "PolicyName=a_b PolicyDocument=" + allowMNS},
		{"InvalidParameter.PolicyName.Length", "CreatePolicy", "PolicyName=" + long(129) + " PolicyDocument=" + allowMNS},
		{"InvalidParameter.Description.Length", "CreatePolicy", "PolicyName=p Description=" + long(1025) + " PolicyDocument=" + allowMNS},
		{"InvalidParameter.PolicyDocument.Length", "CreatePolicy", "PolicyName=p PolicyDocument=" + document(6145)},
		{"MalformedPolicyDocument", "CreatePolicy", "PolicyName=p PolicyDocument={}"},
		{"", "CreatePolicy", "PolicyName=" + long(128) + " Description=" + long(1024) + " PolicyDocument=" + document(6144)},
		{"InvalidParameter.PolicyDocument.Length", "CreatePolicyVersion", "PolicyName=queues PolicyDocument=" + document(6145)},
		{"InvalidParameter.VersionId.Format", "GetPolicyVersion", "PolicyName=queues PolicyType=Custom VersionId=1"},
		{"InvalidParameter.VersionId.Format", "SetDefaultPolicyVersion", "PolicyName=queues VersionId=v-1"},
		{"InvalidParameter.VersionId.Format", "DeletePolicyVersion", "PolicyName=queues VersionId=v01"},
		{"DeleteConflict.Policy.Version.Default", "DeletePolicyVersion", "PolicyName=queues VersionId=v1"},
		{"InvalidParameter.PolicyType", "GetPolicy", "PolicyName=queues PolicyType=Own"},
		{"InvalidParameter.PolicyType", "ListPolicies", "PolicyType=Own"},
		{"InvalidParameter.AccountAlias.Format", "SetAccountAlias", "AccountAlias=team--a"},
		{"InvalidParameter.AccountAlias.Format", "SetAccountAlias", "AccountAlias=Team"},
		{"InvalidParameter.AccountAlias.Length", "SetAccountAlias", "AccountAlias=ab"},
		{"InvalidParameter.AccountAlias.Length", "SetAccountAlias", "AccountAlias=" + long(64)},
		{"", "SetAccountAlias", "AccountAlias=" + long(63)},
		{"", "AddUserToGroup", "UserName=ann GroupName=devs"},
		{"EntityAlreadyExists.User.Group", "AddUserToGroup", "UserName=ann GroupName=devs"},
		{"", "RemoveUserFromGroup", "UserName=ann GroupName=devs"},
		{"EntityNotExist.User.Group", "RemoveUserFromGroup", "UserName=ann GroupName=devs"},
		{"", "AttachPolicyToUser", "PolicyType=Custom PolicyName=queues UserName=ann"},
		{"EntityAlreadyExists.User.Policy", "AttachPolicyToUser", "PolicyType=Custom PolicyName=queues UserName=ann"},
		{"", "AttachPolicyToGroup", "PolicyType=System PolicyName=AliyunMNSFullAccess GroupName=devs"},
		{"EntityAlreadyExists.Group.Policy", "AttachPolicyToGroup", "PolicyType=System PolicyName=AliyunMNSFullAccess GroupName=devs"},
		{"", "AttachPolicyToRole", "PolicyType=System PolicyName=AliyunMNSFullAccess RoleName=worker"},
		{"EntityAlreadyExists.Role.Policy", "AttachPolicyToRole", "PolicyType=System PolicyName=AliyunMNSFullAccess RoleName=worker"},
	} {
		var parameters []string
		for _, parameter := range strings.Fields(tt.parameters) {
			name, value, _ := strings.Cut(parameter, "=")
			parameters = append(parameters, name, value)
		}
		if tt.code == "" {
			f.must(tt.action, parameters...)
		} else {
			f.refused(tt.code, tt.action, parameters...)
		}
	}
}

// What IAM made has names that RAM would not give, and can be used by RAM all the same.
func TestNamesOfIAM(t *testing.T) {
	t.Parallel()
	f := start(t, "verify")
	of := core.IdentityName{Account: account, Kind: core.User, Name: "ann+b@example.com"}
	if _, err := f.broker.CreateIdentity(t.Context(), core.Identity{IdentityName: of}); err != nil {
		t.Fatal(err)
	}
	f.must("UpdateUser", "UserName", of.Name, "NewUserName", of.Name, "NewDisplayName", "Ann")
	f.has(f.must("GetUser", "UserName", of.Name), `"DisplayName":"Ann"`)
	f.must("DeleteUser", "UserName", of.Name)
}

// TestWhoMay walks who may look and who may change, with policies and without.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	for auth, want := range map[string][4]bool{ // a user without policies looks, changes; one with looks, changes
		"verify": {true, false, true, false}, "enforce": {false, false, true, true},
	} {
		f := start(t, auth)
		nobody, allowed := f.newKey(core.NewKey{User: "nobody"}), f.newKey(core.NewKey{User: "allowed"})
		f.must("AttachPolicyToUser", "PolicyName", "AliyunRAMFullAccess", "PolicyType", "System", "UserName", "allowed")
		may := func(key core.Key, action string, parameters ...string) bool {
			status, answer := f.call(key, action, parameters...)
			if status != 200 && !strings.Contains(answer, `"NoPermission"`) {
				t.Errorf("%s: %s", action, answer)
			}
			return status == 200
		}
		got := [4]bool{may(nobody, "ListUsers"), may(nobody, "CreateUser", "UserName", "a"), may(allowed, "ListUsers"), may(allowed, "CreateUser", "UserName", "b")}
		if got != want {
			t.Errorf("%s: got %v, want %v", auth, got, want)
		}
	}
}

// TestNoWayAroundPolicies tries to do more than one's policies allow, by what a request says besides.
func TestNoWayAroundPolicies(t *testing.T) {
	t.Parallel()
	f := start(t, "enforce")
	const all = "acs:ram:*:" + account + ":"
	allow := func(resource string) string {
		return `{"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:*","Resource":"` + all + resource + `"}]}`
	}
	for _, name := range []string{"boss", "eve", "dev-bob"} {
		f.must("CreateUser", "UserName", name)
	}
	f.must("CreateGroup", "GroupName", "dev")
	f.must("CreateRole", "RoleName", "helper", "AssumeRolePolicyDocument", trust)
	f.must("CreatePolicy", "PolicyName", "eves", "PolicyDocument", allow("none"))
	f.must("AttachPolicyToUser", "PolicyName", "eves", "PolicyType", "Custom", "UserName", "eve")
	eve := f.newKey(core.NewKey{User: "eve"})
	tests := map[string]struct {
		resource, action string
		parameters       []string
		want             int
	}{
		"a group's manager and a group": {"group/dev", "AttachPolicyToGroup", []string{"GroupName", "dev", "PolicyType", "System", "PolicyName", "AliyunMNSFullAccess"}, 200},
		"a group's manager and a user":  {"group/dev", "AttachPolicyToUser", []string{"UserName", "eve", "GroupName", "dev", "PolicyType", "System", "PolicyName", "AdministratorAccess"}, 403},
		"a group's manager and a key":   {"group/dev", "CreateAccessKey", []string{"UserName", "boss", "GroupName", "dev"}, 403},
		"a group's manager and a role":  {"group/dev", "UpdateRole", []string{"RoleName", "helper", "GroupName", "dev", "NewAssumeRolePolicyDocument", trust}, 403},
		"a user's manager and a policy": {"user/eve", "CreatePolicyVersion", []string{"PolicyName", "eves", "UserName", "eve", "PolicyDocument", allow("*")}, 403},
		"one's own key":                 {"user/eve", "ListAccessKeys", nil, 200},
		"all users":                     {"user/eve", "ListUsers", []string{"UserName", "eve"}, 403},
		"a name that one may not have":  {"user/dev-*", "UpdateUser", []string{"UserName", "dev-bob", "NewUserName", "chief"}, 403},
		"a name that one may have":      {"user/dev-*", "UpdateUser", []string{"UserName", "dev-bob", "NewUserName", "dev-ben"}, 200},
	}
	for name, tt := range tests {
		f.must("CreatePolicyVersion", "PolicyName", "eves", "PolicyDocument", allow(tt.resource), "SetAsDefault", "true", "RotateStrategy", "DeleteOldestNonDefaultVersionWhenLimitExceeded")
		if got, answer := f.call(eve, tt.action, tt.parameters...); got != tt.want {
			t.Errorf("%s: got %d %s, want %d", name, got, answer, tt.want)
		}
	}
	session := f.newKey(core.NewKey{Lasts: time.Hour, Session: core.Session{Name: "guest", Policy: allow("*"), Cloud: core.RAM}})
	for _, action := range []string{"CreateAccessKey", "ListAccessKeys"} {
		if _, answer := f.call(session, action, "SecurityToken", string(session.Token)); !strings.Contains(answer, `"MissingUserName"`) {
			t.Errorf("a session asks %s for itself: %s", action, answer)
		}
	}
}
