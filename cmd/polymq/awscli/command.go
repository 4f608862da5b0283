package awscli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// IsName reports whether a program of that path is meant to be the AWS command line.
func IsName(path string) bool {
	return slices.Contains([]string{"aws", "awslocal"}, filepath.Base(path))
}

// defaultEndpoint is where a server of this machine listens unless told otherwise.
const defaultEndpoint = "http://localhost:4566"

// Run runs a command line without the program's name and prints the result to out. getenv reads
// the environment. Errors of the service read as those of the official command line.
func Run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	line, err := parseLine(args)
	if err != nil {
		return err
	}
	if line.version {
		_, err := fmt.Fprintln(out, "aws-cli/2.0.0 polymq (sqs, sns, sts)")
		return err
	}
	client, err := newClient(line, getenv)
	if err != nil {
		return err
	}
	method := reflect.ValueOf(client).MethodByName(pascal(line.command))
	if !method.IsValid() || method.Type().NumIn() != 3 {
		return fmt.Errorf("argument command: %s has no command %q", line.service, line.command)
	}
	input := reflect.New(method.Type().In(1).Elem())
	if err := line.fill(input.Elem()); err != nil {
		return err
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), input})
	if err, failed := results[1].Interface().(error); failed {
		return describe(err, line.command)
	}
	return write(out, results[0].Elem(), line)
}

// newClient makes the client of the service that the line names.
func newClient(line line, getenv func(string) string) (any, error) {
	get := func(def string, names ...string) string {
		for _, name := range names {
			if value := getenv(name); value != "" {
				return value
			}
		}
		return def
	}
	config := aws.Config{
		Region:       get("us-east-1", "AWS_REGION", "AWS_DEFAULT_REGION"),
		BaseEndpoint: aws.String(get(defaultEndpoint, "AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(get("test", "AWS_ACCESS_KEY_ID"), get("test", "AWS_SECRET_ACCESS_KEY"),
			get("", "AWS_SESSION_TOKEN")),
	}
	if line.region != "" {
		config.Region = line.region
	}
	if line.endpoint != "" {
		config.BaseEndpoint = aws.String(line.endpoint)
	}
	switch line.service {
	case "sqs":
		return sqs.NewFromConfig(config), nil
	case "sns":
		return sns.NewFromConfig(config), nil
	case "sts":
		return sts.NewFromConfig(config), nil
	}
	return nil, fmt.Errorf("argument service: this command line knows sqs, sns and sts, not %q", line.service)
}

// describe gives an error in the words of the official command line.
func describe(err error, command string) error {
	var fault interface {
		error
		ErrorCode() string
		ErrorMessage() string
	}
	if !errors.As(err, &fault) {
		return err
	}
	return fmt.Errorf("an error occurred (%s) when calling the %s operation: %s", fault.ErrorCode(), pascal(command), fault.ErrorMessage())
}

// pascal gives the name of a member or an operation: QueueUrl for queue-url.
func pascal(kebab string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(kebab, "-") {
		if word != "" {
			name.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return name.String()
}
