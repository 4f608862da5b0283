package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// maxCertificate bounds what is read of a server's answer.
const maxCertificate = 64 << 10

func caCommand(environ []string) *cobra.Command {
	server := &apiClient{}
	command := &cobra.Command{
		Use:   "ca",
		Short: "Print the certificate that clients of a server with --tls auto have to trust",
		Long: `Prints the certificate of a running server's own authority, in PEM. It is read without encryption, which
the same port offers: do that where nobody can change what passes, as on the server's machine.`,
		Example: `  polymq ca > polymq-ca.pem
  AWS_CA_BUNDLE=polymq-ca.pem aws --endpoint-url https://localhost:4566 sqs list-queues
  REQUESTS_CA_BUNDLE=polymq-ca.pem python3 app.py
  SSL_CERT_FILE=polymq-ca.pem polymq key list --endpoint https://localhost:4566`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			certificate, err := fetchAuthority(command.Context(), server.endpoint)
			if err != nil {
				return err
			}
			_, err = command.OutOrStdout().Write(certificate)
			return err
		},
	}
	server.flags(command, environ)
	return command
}

func fetchAuthority(ctx context.Context, endpoint string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, client.Timeout)
	defer cancel()
	plain := strings.Replace(client.URL(endpoint), "https://", "http://", 1)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, plain+"/api/v1/ca.pem", nil)
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %w", endpoint, err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%w, is it running there? (--endpoint): %w", client.ErrUnreachable, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxCertificate))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the server's answer: %w", err)
	case response.StatusCode != http.StatusOK:
		return nil, client.Refused(response, answer)
	case !strings.HasPrefix(string(answer), "-----BEGIN CERTIFICATE-----"):
		return nil, errors.New("the server's answer is no certificate, is it polymq?")
	}
	return answer, nil
}
