package push

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net"
	"net/http"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/polymq/polymq/core"
)

// mailServer takes mail by SMTP.
type mailServer struct {
	address  string // host:port
	host     string
	implicit bool // TLS from the first byte
	auth     smtp.Auth
	from     *mail.Address
	secure   *tls.Config
}

func newMailServer(address, from string, secure *tls.Config) (*mailServer, error) {
	u, err := ParseURL(address, "smtp", "smtps")
	if err != nil {
		return nil, fmt.Errorf("the mail server: %w", err)
	}
	s := &mailServer{host: u.Hostname(), implicit: u.Scheme == "smtps", secure: secure.Clone()}
	s.secure.ServerName = s.host
	port := "25"
	if s.implicit {
		port = "465"
	}
	s.address = net.JoinHostPort(s.host, cmp.Or(u.Port(), port))
	if user := u.User.Username(); user != "" {
		password, _ := u.User.Password()
		s.auth = smtp.PlainAuth("", user, password, s.host)
	}
	if s.from, err = mail.ParseAddress(cmp.Or(from, "polymq@"+s.host)); err != nil {
		return nil, errors.New("the sender of mail is no address")
	}
	return s, nil
}

// Answers of mail servers as HTTP has them, which those who judge answers know.
const (
	mailAccepted = http.StatusOK
	mailRefused  = http.StatusBadRequest         // for good
	mailNotNow   = http.StatusServiceUnavailable // perhaps later
)

// send sends one mail to one recipient.
func (s *mailServer) send(ctx context.Context, p core.Push) core.PushAnswer {
	to, err := mail.ParseAddress(p.To)
	if err != nil {
		return core.PushAnswer{Refused: true, Reason: core.ReasonNoRecipient}
	}
	err = s.deliver(ctx, to, s.compose(p, to))
	var answer *textproto.Error
	switch {
	case err == nil:
		return core.PushAnswer{Status: mailAccepted}
	case errors.As(err, &answer) && answer.Code >= 500:
		return core.PushAnswer{Status: mailRefused, Excerpt: excerpt([]byte(answer.Error()))}
	case errors.As(err, &answer):
		return core.PushAnswer{Status: mailNotNow, Excerpt: excerpt([]byte(answer.Error()))}
	}
	return failure(err)
}

// deliver speaks SMTP, encrypted where the server can.
func (s *mailServer) deliver(ctx context.Context, to *mail.Address, message []byte) error {
	dialled, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = dialled.SetDeadline(time.Unix(1, 0)) })()
	conn := dialled
	if s.implicit {
		conn = tls.Client(dialled, s.secure)
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	defer client.Close()
	if ok, _ := client.Extension("STARTTLS"); ok && !s.implicit {
		if err := client.StartTLS(s.secure); err != nil {
			return err
		}
	}
	if s.auth != nil {
		if err := client.Auth(s.auth); err != nil {
			return err
		}
	}
	if err := errors.Join(client.Mail(s.from.Address), client.Rcpt(to.Address)); err != nil {
		return err
	}
	body, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := body.Write(message); err != nil {
		return err
	}
	if err := body.Close(); err != nil { // the server's answer
		return err
	}
	_ = client.Quit() // it has the message, whatever it says now
	return nil
}

// compose writes a mail. What comes from publishers is encoded, so that it cannot end a header.
func (s *mailServer) compose(p core.Push, to *mail.Address) []byte {
	var m bytes.Buffer
	header := func(name, value string) { fmt.Fprintf(&m, "%s: %s\r\n", name, value) }
	contentType := "text/plain; charset=UTF-8"
	for name, values := range p.Header {
		if strings.EqualFold(name, "Content-Type") && len(values) > 0 {
			contentType = strings.NewReplacer("\r", "", "\n", "").Replace(values[0])
		}
	}
	header("From", s.from.String())
	header("To", to.String())
	header("Subject", mime.BEncoding.Encode("UTF-8", p.Subject))
	header("Date", time.Now().Format(time.RFC1123Z))
	header("Message-ID", "<"+uuid.NewString()+"@"+s.host+">")
	header("MIME-Version", "1.0")
	header("Content-Type", contentType)
	header("Content-Transfer-Encoding", "base64")
	m.WriteString("\r\n")
	const line = 57 // bytes that make 76 characters
	for body := p.Body; len(body) > 0; {
		n := min(line, len(body))
		m.WriteString(base64.StdEncoding.EncodeToString(body[:n]) + "\r\n")
		body = body[n:]
	}
	return m.Bytes()
}
