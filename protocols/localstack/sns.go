package localstack

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// Bounds of what is shown at once.
const (
	maxShown = 1000
	keptPage = 100
	maxBody  = 64 << 10 // of a request
)

// What is kept under other names than an attribute's.
const structuredKey = "sns.Message" // the message with a body for each platform

// sent is a message as LocalStack shows it, to a phone or to a device.
type sent struct {
	PhoneNumber     *string `json:",omitempty"`
	TargetArn       *string `json:",omitempty"`
	TopicArn        *string
	SubscriptionArn *string
	MessageId       string
	Message         string
	Attributes      map[string]attribute `json:"MessageAttributes"`
	Structure       *string              `json:"MessageStructure"`
	Subject         *string
}

type attribute struct {
	DataType    string
	StringValue string
}

// kept is what of the outbox a path shows.
type kept struct {
	protocol  string
	recipient string // the parameter that names one
	list      string // the field of the answer
}

var (
	toPhones  = kept{"sms", "phoneNumber", "sms_messages"}
	toDevices = kept{"application", "endpointArn", "platform_endpoint_messages"}
)

// scope gives the account and region that a request is about.
func scope(c *gin.Context) (account, region string) {
	return c.DefaultQuery("accountId", caller.DefaultAccount), c.DefaultQuery("region", caller.DefaultRegion)
}

// showKept shows what was sent to phones or devices, by whom it was for, the oldest first.
func (s *Server) showKept(k kept) gin.HandlerFunc {
	return func(c *gin.Context) {
		account, region := scope(c)
		messages, err := s.keptOf(c.Request.Context(), k, account, region, c.Query(k.recipient))
		if err != nil {
			fail(c, err)
			return
		}
		c.JSON(http.StatusOK, gin.H{k.list: messages, "region": region})
	}
}

// keptOf gives the messages of the outbox for one recipient, or for all.
func (s *Server) keptOf(ctx context.Context, k kept, account, region, recipient string) (map[string][]sent, error) {
	messages := map[string][]sent{}
	in := core.ListDeliveriesInput{Topic: core.TopicName{Account: account, Region: region}, Limit: keptPage}
	for range maxShown / keptPage {
		page, err := s.broker.ListKept(ctx, in)
		if err != nil {
			return nil, err
		}
		for i := range page.Messages {
			m := &page.Messages[i]
			if m.Protocol == k.protocol && (recipient == "" || recipient == m.To) {
				messages[m.To] = append([]sent{shown(m)}, messages[m.To]...)
			}
		}
		if in.After = page.Next; in.After == "" {
			break
		}
	}
	return messages, nil
}

// shown gives a message of the outbox in LocalStack's form.
func shown(m *core.KeptMessage) sent {
	out := sent{MessageId: m.Message.UUID(), Message: string(m.Body), Attributes: map[string]attribute{}}
	for name, value := range m.Extra {
		if name != structuredKey {
			out.Attributes[name] = attribute{"String", value}
		}
	}
	if whole, structured := m.Extra[structuredKey]; structured {
		json := "json"
		out.Message, out.Structure = whole, &json
	}
	if m.Subject != "" {
		out.Subject = &m.Subject
	}
	if m.Topic != "" {
		topic := "arn:aws:sns:" + m.Region + ":" + m.Account + ":" + m.Topic
		subscription := topic + ":" + m.Subscription
		out.TopicArn, out.SubscriptionArn = &topic, &subscription
	}
	if m.Protocol == toPhones.protocol {
		out.PhoneNumber = &m.To
	} else {
		out.TargetArn = &m.To
	}
	return out
}

// dropKept forgets what was sent to phones or devices.
func (s *Server) dropKept(k kept) gin.HandlerFunc {
	return func(c *gin.Context) {
		account, region := scope(c)
		err := s.broker.DropKept(c.Request.Context(), core.DropKeptInput{Account: account, Region: region, Protocol: k.protocol, To: c.Query(k.recipient)})
		if err != nil {
			fail(c, err)
			return
		}
		c.Status(http.StatusNoContent)
	}
}

// showToken shows the token that confirms a subscription.
func (s *Server) showToken(c *gin.Context) {
	arn := c.Param("arn")
	refuse := func(status int, why string) { c.JSON(status, gin.H{"error": why, "subscription_arn": arn}) }
	parts := strings.Split(arn, ":") // arn:aws:sns:REGION:ACCOUNT:TOPIC:NAME
	if len(parts) != 7 || parts[0] != "arn" || parts[2] != "sns" || parts[5] == "" || parts[6] == "" {
		refuse(http.StatusBadRequest, "The provided SubscriptionARN is invalid")
		return
	}
	name := core.SubscriptionName{Topic: core.TopicName{Region: parts[3], Account: parts[4], Name: parts[5]}, Name: parts[6]}
	sub, err := s.broker.Subscription(c.Request.Context(), name)
	switch {
	case core.CodeOf(err) == core.SubscriptionNotFound, err == nil && sub.Token == "":
		refuse(http.StatusNotFound, "The provided SubscriptionARN is not found")
	case err != nil:
		fail(c, err)
	default:
		c.JSON(http.StatusOK, gin.H{"subscription_token": sub.Token, "subscription_arn": arn})
	}
}

// optOut keeps SMS from a phone, as its owner would by answering STOP. The number is in the query, or in a body of JSON.
func (s *Server) optOut(c *gin.Context) {
	account, region := scope(c)
	wanted := struct{ PhoneNumber, AccountID string }{c.Query("phoneNumber"), account}
	if body, err := io.ReadAll(io.LimitReader(c.Request.Body, maxBody)); err == nil && len(body) > 0 {
		if err := json.Unmarshal(body, &wanted); err != nil {
			c.JSON(http.StatusBadRequest, gin.H{"error": "the body is no JSON: " + err.Error()})
			return
		}
	}
	if err := s.broker.OptOut(c.Request.Context(), core.Phone{Account: wanted.AccountID, Region: region, Number: wanted.PhoneNumber}); err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{"phoneNumber": wanted.PhoneNumber, "accountId": wanted.AccountID})
}

// fail answers with an error, whose text stays here where it is internal.
func fail(c *gin.Context, err error) {
	status := http.StatusBadRequest
	switch core.CodeOf(err) {
	case core.Unavailable, core.Throttled:
		status = http.StatusServiceUnavailable
	case core.Internal:
		status = http.StatusInternalServerError
		zerolog.Ctx(c.Request.Context()).WithLevel(caller.LogLevel(err)).Err(err).Str("path", c.Request.URL.Path).Msg("request failed")
	}
	c.JSON(status, gin.H{"error": core.MessageOf(err)})
}
