package main

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" // version 1 of signatures
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
)

// notification is what an HTTP endpoint of a topic gets, or why it would not take it.
type notification struct {
	members map[string]string
	fault   error
}

// receiver is an HTTP endpoint that verifies what it gets, as the guide of SNS says.
type receiver struct {
	*httptest.Server
	got chan notification
}

func newReceiver() *receiver {
	r := &receiver{got: make(chan notification, 16)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		members, err := readNotification(req.Body)
		if err == nil {
			err = verifyNotification(members)
		}
		w.WriteHeader(http.StatusNoContent)
		r.got <- notification{members, err}
	}))
	return r
}

// readNotification gives the members of a message that are texts.
func readNotification(body io.Reader) (map[string]string, error) {
	var all map[string]any
	if err := json.NewDecoder(body).Decode(&all); err != nil {
		return nil, err
	}
	members := map[string]string{}
	for name, value := range all {
		if text, ok := value.(string); ok {
			members[name] = text
		}
	}
	return members, nil
}

// next gives the next message, verified.
func (r *receiver) next(ctx context.Context) (map[string]string, error) {
	select {
	case n := <-r.got:
		return n.members, n.fault
	case <-ctx.Done():
		return nil, fmt.Errorf("the endpoint got nothing: %w", ctx.Err())
	}
}

// verifyNotification checks a message's signature by the certificate that it names.
func verifyNotification(message map[string]string) error {
	answer, err := http.Get(message["SigningCertURL"]) // who receives from the internet checks its host
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	served, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(served)
	if block == nil {
		return fmt.Errorf("no certificate at %s: %s", message["SigningCertURL"], answer.Status)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(message["Signature"])
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if value, there := message[name]; there {
			text.WriteString(name + "\n" + value + "\n")
		}
	}
	key := certificate.PublicKey.(*rsa.PublicKey)
	if message["SignatureVersion"] == "2" {
		digest := sha256.Sum256([]byte(text.String()))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
	}
	digest := sha1.Sum([]byte(text.String()))
	return rsa.VerifyPKCS1v15(key, crypto.SHA1, digest[:], signature)
}
