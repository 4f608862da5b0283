package sns

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"

	"github.com/polymq/polymq/core"
)

type createSandboxNumberRequest struct {
	PhoneNumber  *string
	LanguageCode string
}

// languages are those in which the real service sends one-time passwords.
var languages = []string{"", "en-US", "en-GB", "es-419", "es-ES", "de-DE", "fr-CA", "fr-FR", "it-IT", "ja-JP", "pt-BR", "kr-KR", "zh-CN", "zh-TW"}

// verified is what the record of a number has once it is verified; before, its one-time password.
const verified = "verified"

// createSMSSandboxPhoneNumber adds a number, and keeps the SMS with its one-time password in the
// outbox.
func (s *Server) createSMSSandboxPhoneNumber(ctx context.Context, c *call, req *createSandboxNumberRequest) (*emptyResult, error) {
	number, err := sandboxNumberOf(req.PhoneNumber)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(languages, req.LanguageCode) {
		return nil, invalid("LanguageCode")
	}
	if err := s.refuseOptedOut(ctx, c, number); err != nil {
		return nil, err
	}
	password, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, fmt.Errorf("make a one-time password: %w", err)
	}
	code := fmt.Sprintf("%06d", password)
	kept, created, err := s.broker.CreateRecord(ctx, c.sandboxNumber(number), code)
	if err == nil && !created && kept != verified {
		_, err = s.broker.SetRecord(ctx, c.sandboxNumber(number), code)
	}
	if err != nil || kept == verified {
		return &emptyResult{}, err
	}
	_, err = s.broker.Keep(ctx, core.KeptMessage{
		Account: c.Account, Region: c.Region, Protocol: "sms", To: number, Body: []byte(code + " is the code that verifies this number"),
		Extra: map[string]string{"OneTimePassword": code},
	})
	return &emptyResult{}, err
}

// refuseOptedOut says that the phone of a number wants no SMS. What is no number of E.164, as the sandbox has some, cannot opt out.
func (s *Server) refuseOptedOut(ctx context.Context, c *call, number string) error {
	if !isPhoneNumber(number) {
		return nil
	}
	out, err := s.broker.OptedOut(ctx, c.phone(number))
	if err == nil && out {
		err = optedOut.errorf("Phone number is opted out")
	}
	return err
}
