package console

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// awsCall is a call of an AWS service, which every SDK of AWS writes by the same rules.
type awsCall struct {
	service string // sqs, sns, sts or iam
	action  string // CreateQueue
	fields  []awsField
	list    string    // member of the answer that is gone through; "": the answer itself is shown, where show names something
	show    string    // member of the answer, or of each entry of the list, that is printed; "": the entry itself
	then    []awsCall // for each entry
}

// awsField is a parameter of a call. Its value is a string, an int, an enum, a member of the entry at hand, a map of strings, or
// a messageAttribute.
type awsField struct {
	name  string
	value any
}

type (
	enum             string // a string that Go has a type of its own for
	member           string // of the entry at hand
	attributeMap     map[string]string
	messageAttribute struct{ name, value string }
)

// awsTool is how an SDK writes calls: around them all, and each.
type awsTool struct {
	name  string
	write func(calls []awsCall) string
}

var awsTools = []awsTool{
	{boto3, writePython}, {"Node · AWS SDK", writeNode}, {"Java · AWS SDK", writeJava}, {"Go · AWS SDK", writeGo},
}

// aws gives the calls as the AWS CLI and each SDK of AWS has them.
func (x *exchange) aws(calls []awsCall, pairs ...string) []snippet {
	var lines []string
	for i := range calls {
		lines = append(lines, commandOf(&calls[i]))
	}
	const again = "\nAWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} \\\naws --endpoint-url {url} --region {region} "
	snippets := []snippet{x.snippetOf(awsCLI, strings.Join(lines, again), pairs...)}
	for _, tool := range awsTools {
		snippets = append(snippets, x.snippetOf(tool.name, tool.write(calls), pairs...))
	}
	return snippets
}

// separated writes a name of words in lower case with something between them: create_queue.
func separated(name, by string) string {
	var text strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			text.WriteString(by)
		}
		text.WriteRune(unicode.ToLower(r))
	}
	return text.String()
}

// lowered writes a name with a small letter in front: createQueue.
func lowered(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// services gives the services of calls, each once.
func services(calls []awsCall) (names []string) {
	for _, call := range calls {
		if !slices.Contains(names, call.service) {
			names = append(names, call.service)
		}
	}
	return names
}

// uses says whether one of the calls has a value of a kind.
func uses[T any](calls []awsCall) bool {
	return slices.ContainsFunc(calls, func(call awsCall) bool {
		return uses[T](call.then) || slices.ContainsFunc(call.fields, func(f awsField) bool { _, is := f.value.(T); return is })
	})
}

// fieldsOf writes the parameters of a call.
func fieldsOf(call *awsCall, write func(f awsField) string) string {
	texts := make([]string, len(call.fields))
	for i, f := range call.fields {
		texts[i] = write(f)
	}
	return strings.Join(texts, ", ")
}

// indented moves lines to the right.
func indented(by, text string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}

func commandOf(call *awsCall) string {
	text := call.service + " " + separated(call.action, "-")
	for _, f := range call.fields {
		option := separated(f.name, "-")
		if option == "endpoint" { // short for another one, --endpoint-url
			option = "notification-endpoint"
		}
		text += " --" + option + " "
		switch v := f.value.(type) {
		case string:
			text += shellQuoted(v)
		case attributeMap:
			for name, value := range v {
				text += name + "=" + value
			}
		case messageAttribute:
			text += fmt.Sprintf(`'{"%s":{"DataType":"String","StringValue":"%s"}}'`, v.name, v.value)
		default:
			text += fmt.Sprint(v)
		}
	}
	return strings.Replace(text, " --message-", " \\\n    --message-", 1)
}

// shellQuoted writes a text as one word of a shell.
func shellQuoted(text string) string {
	if strings.ContainsAny(text, ` "{[`) && !strings.HasPrefix(text, "{url}") {
		return "'" + text + "'"
	}
	return text
}

// quoted writes a text of a program; in single quotes where those are allowed and save others.
func quoted(text string) string { return strconv.Quote(text) }

func singlyQuoted(text string) string {
	if strings.Contains(text, `"`) {
		return "'" + text + "'"
	}
	return quoted(text)
}

func writePython(calls []awsCall) string {
	text := "import boto3\n"
	for _, service := range services(calls) {
		text += service + ` = boto3.client("` + service + `", endpoint_url="{url}", region_name="{region}",
    aws_access_key_id="{id}", aws_secret_access_key="{secret}")
`
	}
	for i := range calls {
		text += pythonCall(&calls[i])
	}
	return strings.TrimSuffix(text, "\n")
}

func pythonCall(call *awsCall) string {
	entry := func(member string) string {
		if member == "" {
			return "entry"
		}
		return `entry["` + member + `"]`
	}
	text := call.service + "." + separated(call.action, "_") + "(" + fieldsOf(call, func(f awsField) string {
		value := fmt.Sprint(f.value)
		switch v := f.value.(type) {
		case string:
			value = singlyQuoted(v)
		case enum:
			value = quoted(string(v))
		case member:
			value = entry(string(v))
		case attributeMap:
			value = "{" + pairsOf(v, func(name, value string) string { return quoted(name) + ": " + quoted(value) }) + "}"
		case messageAttribute:
			value = fmt.Sprintf(`{"%s": {"DataType": "String", "StringValue": "%s"}}`, v.name, v.value)
		}
		return f.name + "=" + value
	}) + ")"
	switch {
	case call.list != "":
		text = "for entry in " + text + `.get("` + call.list + "\", []):\n    print(" + entry(call.show) + ")\n"
		for i := range call.then {
			text += indented("    ", pythonCall(&call.then[i]))
		}
		return text
	case call.show != "":
		return "print(" + text + `["` + call.show + "\"])\n"
	}
	return text + "\n"
}

// pairsOf writes the names and values of a map, in order.
func pairsOf(m attributeMap, write func(name, value string) string) string {
	var texts []string
	for name, value := range m {
		texts = append(texts, write(name, value))
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

// classOf names the class of a service in SDKs: SQS.
func classOf(service string) string { return strings.ToUpper(service) }

func writeNode(calls []awsCall) string {
	text := ""
	for _, service := range services(calls) {
		text += "import { " + classOf(service) + " } from \"@aws-sdk/client-" + service + "\";\n"
	}
	for _, service := range services(calls) {
		text += "const " + service + " = new " + classOf(service) + `({ endpoint: "{url}", region: "{region}",
  credentials: { accessKeyId: "{id}", secretAccessKey: "{secret}" } });
`
	}
	for i := range calls {
		text += nodeCall(&calls[i])
	}
	return strings.TrimSuffix(text, "\n")
}

func nodeCall(call *awsCall) string {
	entry := func(member string) string { return strings.TrimSuffix("entry."+member, ".") }
	fields := fieldsOf(call, func(f awsField) string {
		value := fmt.Sprint(f.value)
		switch v := f.value.(type) {
		case string:
			value = singlyQuoted(v)
		case enum:
			value = quoted(string(v))
		case member:
			value = entry(string(v))
		case attributeMap:
			value = "{ " + pairsOf(v, func(name, value string) string { return name + ": " + quoted(value) }) + " }"
		case messageAttribute:
			value = fmt.Sprintf(`{ %s: { DataType: "String", StringValue: "%s" } }`, v.name, v.value)
		}
		return f.name + ": " + value
	})
	if fields != "" {
		fields = " " + fields + " "
	}
	text := "await " + call.service + "." + lowered(call.action) + "({" + fields + "})"
	switch {
	case call.list != "":
		text = "for (const entry of (" + text + ")." + call.list + " ?? []) {\n  console.log(" + entry(call.show) + ");\n"
		for i := range call.then {
			text += indented("  ", nodeCall(&call.then[i]))
		}
		return text + "}\n"
	case call.show != "":
		return "console.log((" + text + ")." + call.show + ");\n"
	}
	return text + ";\n"
}

func writeJava(calls []awsCall) string {
	text := "import java.net.URI;\n"
	if uses[attributeMap](calls) || uses[messageAttribute](calls) {
		text += "import java.util.Map;\n"
	}
	text += "import software.amazon.awssdk.auth.credentials.*;\nimport software.amazon.awssdk.regions.Region;\n"
	for _, service := range services(calls) {
		text += "import software.amazon.awssdk.services." + service + "." + javaClient(service) + ";\n"
	}
	if uses[messageAttribute](calls) {
		text += "import software.amazon.awssdk.services.sns.model.MessageAttributeValue;\n"
	}
	text += "\n"
	for _, service := range services(calls) {
		text += "var " + service + " = " + javaClient(service) + `.builder().endpointOverride(URI.create("{url}")).region(Region.of("{region}"))
    .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("{id}", "{secret}"))).build();
`
	}
	for i := range calls {
		text += javaCall(&calls[i])
	}
	return strings.TrimSuffix(text, "\n")
}

func javaClient(service string) string { return classOf(service)[:1] + service[1:] + "Client" }

func javaCall(call *awsCall) string {
	entry := func(name string) string {
		if name == "" {
			return "entry"
		}
		return "entry." + lowered(name) + "()"
	}
	fields := strings.ReplaceAll(fieldsOf(call, func(f awsField) string {
		name, value := lowered(f.name), fmt.Sprint(f.value)
		switch v := f.value.(type) {
		case string:
			value = quoted(v)
		case enum:
			value = quoted(string(v))
		case member:
			value = entry(string(v))
		case attributeMap:
			name, value = name+"WithStrings", "Map.of("+pairsOf(v, func(name, value string) string { return quoted(name) + ", " + quoted(value) })+")"
		case messageAttribute:
			value = fmt.Sprintf(`Map.of("%s", MessageAttributeValue.builder().dataType("String").stringValue("%s").build())`, v.name, v.value)
		}
		return "\x00" + name + "(" + value + ")"
	}), ", \x00", ".")
	if fields != "" {
		fields = "r -> r." + fields[1:]
	}
	text := call.service + "." + lowered(call.action) + "(" + fields + ")"
	switch {
	case call.list != "":
		text = "for (var entry : " + text + "." + lowered(call.list) + "()) {\n    System.out.println(" + entry(call.show) + ");\n"
		for i := range call.then {
			text += indented("    ", javaCall(&call.then[i]))
		}
		return text + "}\n"
	case call.show != "":
		return "System.out.println(" + text + "." + lowered(call.show) + "());\n"
	}
	return text + ";\n"
}

func writeGo(calls []awsCall) string {
	shows := slices.ContainsFunc(calls, func(call awsCall) bool { return call.list != "" || call.show != "" })
	text := "package main\n\nimport (\n\t\"context\"\n"
	if shows {
		text += "\t\"fmt\"\n"
	}
	text += "\n\t\"github.com/aws/aws-sdk-go-v2/aws\"\n\t\"github.com/aws/aws-sdk-go-v2/credentials\"\n"
	for _, service := range services(calls) {
		text += "\t\"github.com/aws/aws-sdk-go-v2/service/" + service + "\"\n"
	}
	if uses[messageAttribute](calls) {
		text += "\t\"github.com/aws/aws-sdk-go-v2/service/sns/types\"\n"
	}
	text += ")\n\nfunc main() {\n\tctx := context.Background()\n"
	for _, service := range services(calls) {
		text += "\t" + goClient(service) + " := " + service + ".New(" + service + `.Options{BaseEndpoint: aws.String("{url}"), Region: "{region}",
		Credentials: credentials.NewStaticCredentialsProvider("{id}", "{secret}", "")})
`
	}
	for i := range calls {
		text += indented("\t", goCall(&calls[i]))
	}
	return text + "}"
}

func goClient(service string) string { return service + "Client" }

func goCall(call *awsCall) string {
	text := goClient(call.service) + "." + call.action + "(ctx, &" + call.service + "." + call.action + "Input{" + fieldsOf(call, func(f awsField) string {
		value := fmt.Sprint(f.value)
		switch v := f.value.(type) {
		case string:
			value = "aws.String(" + goQuoted(v) + ")"
		case enum:
			value = quoted(string(v))
		case member:
			value = "entry." + string(v)
		case attributeMap:
			value = "map[string]string{" + pairsOf(v, func(name, value string) string { return quoted(name) + ": " + quoted(value) }) + "}"
		case messageAttribute:
			value = fmt.Sprintf("map[string]types.MessageAttributeValue{\n\t%q: {DataType: aws.String(\"String\"), StringValue: aws.String(%q)},\n}", v.name, v.value)
		}
		return f.name + ": " + value
	}) + "})"
	const fails = "err != nil {\n\tpanic(err)\n}\n"
	switch {
	case call.list != "":
		entry := "entry"
		if call.show != "" {
			entry = "*entry." + call.show
		}
		text = "found, err := " + text + "\nif " + fails + "for _, entry := range found." + call.list + " {\n\tfmt.Println(" + entry + ")\n"
		for i := range call.then {
			text += indented("\t", goCall(&call.then[i]))
		}
		return text + "}\n"
	case call.show != "":
		return "found, err := " + text + "\nif " + fails + "fmt.Println(*found." + call.show + ")\n"
	}
	return "if _, err := " + text + "; " + fails
}

func goQuoted(text string) string {
	if strings.Contains(text, `"`) {
		return "`" + text + "`"
	}
	return quoted(text)
}
