package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// tlsChecks are of clients that trust a server's own authority because they are told so by an option, POLYMQ_CA being
// its certificate, or do not trust it; and tlsEnvironmentChecks of those that the environment tells.
var (
	tlsChecks = []check{
		{"aws_sdk_trusts_the_bundle_it_is_given", func(ctx context.Context) error {
			bundle, err := os.Open(os.Getenv("POLYMQ_CA"))
			if err != nil {
				return err
			}
			defer bundle.Close()
			return awsOverTLS(ctx, config.WithCustomCABundle(bundle))
		}},
		{"aws_sdk_does_not_trust_it_else", func(ctx context.Context) error { return distrust(awsOverTLS(ctx)) }},
		{"mns_does_not_trust_it_else", func(context.Context) error { return distrust(mnsOverTLS()) }},
	}
	tlsEnvironmentChecks = []check{
		{"aws_sdk_trusts_the_bundle_of_the_environment", func(ctx context.Context) error { return awsOverTLS(ctx) }},
		{"mns_trusts_the_system's_authorities", func(context.Context) error { return mnsOverTLS() }},
	}
)

// awsOverTLS makes a queue and a topic.
func awsOverTLS(ctx context.Context, options ...func(*config.LoadOptions) error) error {
	if !strings.HasPrefix(endpoint, "https://") {
		return fmt.Errorf("the server is at %s", endpoint)
	}
	options = append(options, config.WithRegion("us-east-1"), config.WithBaseEndpoint(endpoint), config.WithRetryMaxAttempts(1),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(accessKey, "test", "")))
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return err
	}
	if _, err := sqs.NewFromConfig(loaded).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("aws-over-tls")}); err != nil {
		return err
	}
	_, err = sns.NewFromConfig(loaded).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("aws-over-tls")})
	return err
}

// mnsOverTLS makes a queue and sends to it.
func mnsOverTLS() error {
	client := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: endpoint + "/.", AccessKeyId: accessKey, AccessKeySecret: "test"})
	if err := ali_mns.NewMNSQueueManager(client).CreateSimpleQueue("mns-over-tls"); err != nil {
		return err
	}
	_, err := ali_mns.NewMNSQueue("mns-over-tls", client).SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"})
	return err
}

// distrust turns the error of an authority that is not known into none, and none into one.
func distrust(err error) error {
	var unknown x509.UnknownAuthorityError
	switch {
	case err == nil:
		return errors.New("the server is trusted")
	case errors.As(err, &unknown), strings.Contains(err.Error(), unknown.Error()):
		return nil
	}
	return err
}
